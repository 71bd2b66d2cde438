"""What became of each report, field task, patrol, call and ticket."""
