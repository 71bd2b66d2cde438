"""What needs a second word: return, extension and deferral of a unit, voiding by the centre."""
