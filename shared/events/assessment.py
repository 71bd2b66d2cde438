"""What assessment tells; figures are served by its API, so far no fact of its own is published."""
