"""Addresses of people on duty: their form, and how much of them is shown."""

import re

from services.hotline.contacts.errors import EmailInvalid
from shared.vocabulary import Role

_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])")

TOLD_ROLES = frozenset({Role.SHIFT_LEADER, Role.LEADER})
"""Whoever has one of these roles may be told of emergencies."""


def plain_email(text: str) -> str:
    """An e-mail address as it is stored.

    Raises:
        EmailInvalid: it is none, or more than one.
    """
    plain = text.strip()
    if not _EMAIL.fullmatch(plain) or ".." in plain:
        raise EmailInvalid("Send one address such as name@example.org.")
    return plain


def mask_email(address: str) -> str:
    """`w***@example.org`: enough to recognise an address that one knows."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"
