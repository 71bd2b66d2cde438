"""Calling back after closing: outcome, satisfaction, reopening."""
