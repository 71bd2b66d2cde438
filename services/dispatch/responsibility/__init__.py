"""Which unit a case belongs to: suggestions with their reasons."""
