"""The ledger of a year as a file: a spreadsheet, comma-separated values, JSON."""
