"""The people behind a case: further reports, tickets withdrawn, cases reopened."""
