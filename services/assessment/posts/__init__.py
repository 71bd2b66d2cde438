"""Counts of collectors, companies, grid leaders, agents and posts. People are never ranked."""
