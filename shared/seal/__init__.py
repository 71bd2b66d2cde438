"""Personal data at rest: sealed, bound to their row, found again only with the key."""
