"""Calls from the first ring to the last word."""
