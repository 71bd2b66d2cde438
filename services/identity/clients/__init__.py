"""Other systems: which there are, what they may do, and how they get tokens."""
