"""Every fact that the other services tell, kept for good, and what has to be folded again."""
