"""Passwords: their rules, their hashes, one-time codes, and what happens after failures."""
