"""Personal data of callers: written in one form, masked, kept out of text."""

import re
import unicodedata
from collections.abc import Sequence

from services.hotline.callers.errors import (
    NumberInvalid,
    PersonalDataInText,
)

_NOT_DIALLED = re.compile(r"[\s\-.()/·]")
_NUMBER = re.compile(r"\+?\d{3,15}")
_WITHHELD = frozenset({"", "anonymous", "unknown", "withheld", "private"})
_LONG_NUMBER = 11
_SHORT_NUMBER = 7

_GAP = r"[ \-.·]?"
_PERSONAL = {
    "identity number": re.compile(
        rf"(?<!\d)[1-9]\d{{5}}{_GAP}(?:19|20)\d\d{_GAP}(?:0[1-9]|1[0-2])"
        rf"(?:0[1-9]|[12]\d|3[01]){_GAP}\d{{3}}[\dXx](?![\dA-Za-z])"
    ),
    "telephone number": re.compile(
        rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?1[3-9](?:{_GAP}\d){{9}}(?!\d)"  # mobile
        r"|(?<!\d)0[1-9]\d{1,2}[ \-]?\d{7,8}(?!\d)"  # area code and number
        r"|(?<!\d)(?:\+?1[ .\-]?)?\(?[2-9]\d{2}\)?[ .\-]\d{3}[ .\-]\d{4}(?!\d)"  # North America
        r"|\+\d(?:[ \-]?\d){9,13}(?!\d)"  # international form
    ),
    "e-mail address": re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"),
}


def normalise_number(text: str, country_code: str) -> str | None:
    """A telephone number in the one form that is stored; None where the caller withheld it.

    Raises:
        NumberInvalid: it holds other things than digits, or too few or too many of them.
    """
    plain = _NOT_DIALLED.sub("", unicodedata.normalize("NFKC", text))
    if plain.lower() in _WITHHELD:
        return None
    if not _NUMBER.fullmatch(plain) or not plain.isascii():
        raise NumberInvalid("Send the number as it is dialled: 3 to 15 digits.")
    international = re.fullmatch(rf"(?:\+|00){country_code}(\d{{5,}})", plain)
    return international.group(1) if international else plain


def mask_number(number: str) -> str:
    """138****1234: enough to recognise a number that one knows, too little to dial it."""
    if len(number) >= _LONG_NUMBER:
        return f"{number[:3]}****{number[-4:]}"
    if len(number) >= _SHORT_NUMBER:
        return f"****{number[-3:]}"
    return "****"


def mask_name(name: str) -> str:
    """The family name of 张小明 or the first letter; the number of stars tells nothing."""
    return f"{name[:1]}**"


def refuse_personal_data(text: str, where: str, *, names: Sequence[str] = ()) -> None:
    """Keep obvious personal data out of text that other services will read.

    Args:
        text: what somebody wrote.
        where: the field, for the person who wrote it.
        names: names of people concerned, as far as they are known.

    Raises:
        PersonalDataInText: with the kind of data found, never with the data.
    """
    plain = unicodedata.normalize("NFKC", text)
    kind = next((kind for kind, pattern in _PERSONAL.items() if pattern.search(plain)), None)
    if kind is None and any(_names(plain, name) for name in names):
        kind = "name of the caller"
    if kind is not None:
        raise PersonalDataInText(
            f"Take the {kind} out of `{where}`: other services and units read this text."
            " Who called belongs into the caller's record.",
            where=where,
            kind=kind,
        )


def _names(text: str, name: str) -> bool:
    """Whether a text names somebody; a single letter or character names nobody."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if len(plain) < 2:  # noqa: PLR2004
        return False
    if plain.isascii():
        return bool(re.search(rf"\b{re.escape(plain)}\b", text, re.IGNORECASE))
    return plain in text
