"""Leaders' written instructions on what a caller wants; each opens a supervision order."""
