"""Calls, tickets, knowledge, call-backs: the citizens' 24-hour line."""
