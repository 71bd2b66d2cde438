"""The way of a case: opened, dispatched, accepted, handled, verified, closed; and its lists."""
