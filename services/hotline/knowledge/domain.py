"""How a question finds its entries: words of Latin script, pairs of characters of Chinese."""

import re
import unicodedata
from collections.abc import Sequence

MAX_TERMS = 40

TITLE_WEIGHT = 5
KEYWORD_WEIGHT = 3
BODY_WEIGHT = 1

_WORD = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")


def plain(text: str) -> str:
    """Text as it is compared: one width, lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def search_terms(query: str) -> list[str]:
    """The terms that a query is looked up by, each once, at most `MAX_TERMS`.

    Chinese is written without spaces, so a run of it is looked up by all its pairs of neighbouring
    characters.
    """
    terms: list[str] = []
    for run in _WORD.findall(plain(query)):
        if run.isascii() or len(run) <= 2:  # noqa: PLR2004 - a pair
            terms.append(run)
        else:
            terms.extend(run[at : at + 2] for at in range(len(run) - 1))
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def score(terms: Sequence[str], *, title: str, keywords: Sequence[str], body: str) -> int:
    """How well an entry answers: terms in the title count most, then keywords, then the text."""
    title, body = plain(title), plain(body)
    words = [plain(word) for word in keywords]
    return sum(
        TITLE_WEIGHT * (term in title)
        + KEYWORD_WEIGHT * any(term in word for word in words)
        + BODY_WEIGHT * (term in body)
        for term in terms
    )
