#!/bin/sh
# First start of an empty server: one database and one account for each service, shut to the others.
set -eu

for service in identity hotline intake dispatch assessment; do
    # psql reads the password from the file itself, so it is in no command line.
    psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
        --set service="$service" --set secret="${SECRETS:-/run/secrets}/postgres_${service}_password" <<'SQL'
\set password `cat :'secret'`
CREATE ROLE :"service" LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
CREATE DATABASE :"service" OWNER :"service" ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
\connect :service
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO :"service";
-- A client that forgets its transaction must not hold back everybody else.
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '60s';
SQL
done

psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
