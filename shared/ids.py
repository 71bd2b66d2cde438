"""Identifiers that sort by the time they were made."""

import os
import time
from uuid import UUID

_RANDOM_BITS_B = 62


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562).

    48 bits of Unix milliseconds, 12 bits of the millisecond's fraction, 62 random bits.

    The fraction keeps ids of one process in order within a millisecond; across processes the order
    is that of their machines' clocks, which is enough for paging and never decides anything else.
    """
    nanoseconds = time.time_ns()
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= fraction << 64
    value |= 0b10 << _RANDOM_BITS_B
    value |= random
    return UUID(int=value)
