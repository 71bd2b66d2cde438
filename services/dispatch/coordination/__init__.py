"""Whose a case is, settled with the units: heard, decided or passed up, kept as a precedent."""
