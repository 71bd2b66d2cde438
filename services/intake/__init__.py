"""Reports from every source, registration, and the work of the collectors."""
