"""How events of others are taken in: once, in order, with retries, in the database."""
