"""What can be wrong with a recomputation."""

from shared.errors import NotFound


class NoSuchRecomputation(NotFound):
    code = "recomputation-not-found"
