"""Collectors on duty: where they are now and which grids they covered."""
