# Everything this project is asked to do. `make` alone prints the list.
# A machine with Python 3.11+ and a package index in reach is enough; see docs/running.md.

.DEFAULT_GOAL := help
SHELL := /bin/sh

BIN := .venv/bin
PACKS := packs/qilihe packs/nyc311
COMPOSE := docker compose --file deploy/docker-compose.yml

# What the targets may be told, e.g. `make test T=tests/shared/worktime`.
T ?=
LOGIN ?=
BENCHES ?= worktime recompute intake latency emergency lifecycles lists assessment
WORKERS ?= auto
ARGS ?=

##@ Use

.PHONY: run
run: .venv/.ready-run ## start everything in one process with a sample day and print where to look
	$(BIN)/minqing serve --demo $(ARGS)

.PHONY: up
up: secrets ## start the whole suite with Docker: gateway, PostgreSQL, RabbitMQ, ten processes
	$(COMPOSE) up --detach --build --wait $(ARGS)

.PHONY: down
down: ## stop what `make up` started; data are kept
	$(COMPOSE) --profile metrics down $(ARGS)

.PHONY: logs
logs: ## follow the logs of `make up`
	$(COMPOSE) logs --follow --tail 100 $(ARGS)

.PHONY: code
code: ## a one-time code to set a password, for the first administrator of `make up` (LOGIN=account)
	@test -n "$(LOGIN)" || { echo "make code LOGIN=account, e.g. the security administrator's" >&2; exit 2; }
	@$(COMPOSE) exec identity-api minqing one-time-code "$(LOGIN)"

.PHONY: minqing
minqing: ## a command of minqing beside `make up`, with everybody's secrets (ARGS="lag")
	@$(COMPOSE) run --rm --no-deps --entrypoint minqing migrate $(ARGS)

.PHONY: secrets
secrets: ## make the passwords and keys of `make up`, once; existing ones are left alone
	python3 scripts/make_secrets.py

##@ Work

.PHONY: install
install: .venv/.ready-dev ## prepare the environment for tests and checks

.PHONY: hooks
hooks: .venv/.ready-dev ## run the quick checks before each commit from now on
	$(BIN)/prek install

.PHONY: test
test: .venv/.ready-dev ## run the whole suite (T=path for a part, WORKERS=n, ARGS=…)
	$(BIN)/python scripts/test_services.py -- sh -c '$(if $(T),$(TEST_PART),$(TEST_ALL))'

TEST := $(BIN)/pytest $(ARGS)
TEST_PART = $(TEST) -n $(WORKERS) --maxprocesses 4 $(T)
# Whole stories start ten processes, which need the machine and the database's connections for
# themselves; both parts run to their end, and either one's failure is the whole's.
TEST_ALL = $(TEST) -n $(WORKERS) --maxprocesses 4 -m "not e2e" || failed=1; \
	$(TEST) -n 0 -m e2e || failed=1; test -z "$$failed"

.PHONY: fmt
fmt: .venv/.ready-dev ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: check
check: lint types rules migrations documents packs ## everything that must hold besides the tests

.PHONY: bench
bench: .venv/.ready-dev ## measure the figures that the documents quote (BENCHES="name ...")
	$(BIN)/python scripts/test_services.py -- sh -c \
		'for name in $(BENCHES); do echo "== bench/$$name.py"; $(BIN)/python "bench/$$name.py" || exit 1; done'

##@ The parts of check

.PHONY: lint
lint: .venv/.ready-dev ## form and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

.PHONY: types
types: .venv/.ready-dev ## static types
	$(BIN)/mypy
	$(BIN)/mypy --strict scripts/*.py

.PHONY: rules
rules: .venv/.ready-dev ## who may import whom, and the house rules
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_rules.py

.PHONY: migrations
migrations: .venv/.ready-dev ## tables and migrations say the same
	$(BIN)/minqing migrate --check

.PHONY: documents
documents: .venv/.ready-dev ## generated documents are those of today's code
	$(BIN)/minqing events --check

.PHONY: packs
packs: .venv/.ready-dev ## the city packs have no fault
	@for pack in $(PACKS); do echo "$(BIN)/minqing pack check $$pack"; $(BIN)/minqing pack check "$$pack" || exit 1; done

##@ Else

.PHONY: clean
clean: ## remove what runs and tests left behind; .venv and secrets stay
	rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.ready-run: pyproject.toml uv.lock scripts/bootstrap scripts/uv.txt
	@scripts/bootstrap run

.venv/.ready-dev: pyproject.toml uv.lock scripts/bootstrap scripts/uv.txt
	@scripts/bootstrap dev
