"""What happens when a limit turns yellow or runs out: it is told once, with its true time."""
