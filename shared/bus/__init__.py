"""The courier between services: two transports behind one small interface.

The record is always the database (outbox and inbox rows); what travels here may be lost, doubled or
reordered without harm.
"""
