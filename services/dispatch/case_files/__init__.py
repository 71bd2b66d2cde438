"""The case file itself: its rows, the table of its states, and the clock kept with every step."""
