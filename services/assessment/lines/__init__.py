"""Assignments as JSON Lines, one a line: what `minqing assess` reads and closed periods keep."""
