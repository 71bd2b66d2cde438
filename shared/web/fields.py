"""Text as people send it: bounded, without characters that no store or terminal should see."""

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

LINE_LENGTH = 300
PARAGRAPH_LENGTH = 4_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_BREAK = re.compile(r"[\t\r\n\u2028\u2029]")


def _printable(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("control characters and lone surrogates are not text")
    return text


def _one_line(text: str) -> str:
    if _LINE_BREAK.search(_printable(text)):
        raise ValueError("this is one line, without line breaks")
    return text


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LINE_LENGTH),
    AfterValidator(_one_line),
]
"""One line of at most 300 characters."""

Paragraph = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=PARAGRAPH_LENGTH),
    AfterValidator(_printable),
]
"""Text of at most 4,000 characters, line breaks allowed."""
