"""Accounts, roles, organisations, sessions and signing keys."""
