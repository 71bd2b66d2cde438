"""Looking on the spot after handling: what the collectors' tasks tell about a case."""
