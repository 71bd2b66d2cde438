"""Accounts of people: who they are and which roles they have."""
