"""Tickets: what a caller wants, and which way it goes."""
