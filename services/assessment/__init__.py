"""Facts folded from events, and the scores computed from them."""
