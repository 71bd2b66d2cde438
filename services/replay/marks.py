"""The mark by which a row of the day is known again in every text of every service.

Lists carry descriptions, so whoever reads a queue sees which request it is about; nothing has to be
remembered between two runs. The slashes keep the hotline from taking a key for somebody's telephone
number.
"""

import re

_PIECE = 4
_MARK = re.compile(r"\(SR-([0-9A-Za-z]+(?:/[0-9A-Za-z]+)*)\)\s*$")


def marked(text: str, key: str) -> str:
    """The text with the mark of a row behind it."""
    pieces = [key[at : at + _PIECE] for at in range(0, len(key), _PIECE)]
    return f"{text} (SR-{'/'.join(pieces)})"


def key_in(text: str | None) -> str | None:
    """The key of the row that a text is about, None if it is about none."""
    found = _MARK.search(text or "")
    return found[1].replace("/", "") if found else None
