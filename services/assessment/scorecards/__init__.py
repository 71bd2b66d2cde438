"""Scorecards of units: what was due, what was resolved, what was timely, and why."""
