"""The ledger of supervision orders: figures by unit and cause, and the whole as a table."""
