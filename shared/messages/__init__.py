"""Messages to people outside the program: console, e-mail, SMS and whatever speaks HTTP.

A message is a row written in the transaction of its cause, and leaves afterwards through one of the
channels that the settings name. It leaves at least once, always under the same id, so that a
gateway can tell a repetition from a new message.
"""
