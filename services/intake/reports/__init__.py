"""Reports from every source, and what became of them."""
