"""Timers: rows of a service that have something coming up at an instant.

A timer is a column of the row that it is about: setting, moving and cancelling it is writing the
column in the transaction that changes the row. The worker rings what is due; see
docs/architecture.md.
"""
