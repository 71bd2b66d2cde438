"""Alarms: anything urgent reaches shift leader and leaders, until somebody has taken it up."""
