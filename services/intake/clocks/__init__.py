"""Deadlines and lights of intake's own stages."""
