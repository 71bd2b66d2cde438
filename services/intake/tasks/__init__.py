"""Field tasks: check before registration, verification after handling."""
