"""Shifts: who is on, and what one hands over to the next."""
