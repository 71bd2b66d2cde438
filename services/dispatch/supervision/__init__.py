"""Supervision orders: a unit is told what is asked and by when, and followed until it is done."""
