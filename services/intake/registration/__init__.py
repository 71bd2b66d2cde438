"""How a report becomes a case, or does not."""
