"""Rules of passwords, of one-time codes, and of locking after failures."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta

_FEWEST_CLASSES = 3
_FEWEST_DIFFERENT = 5
_CODE_BYTES = 10
_CODE_GROUP = 4


def faults_of(password: str, *, login: str, shortest: int) -> list[str]:
    """Everything that is wrong with a new password; empty when it may be taken."""
    faults = []
    if len(password) < shortest:
        faults.append(f"It needs at least {shortest} characters.")
    if _classes(password) < _FEWEST_CLASSES:
        faults.append(
            "Mix at least three of: lower case letters, upper case letters, digits, other signs."
        )
    if len(set(password)) < _FEWEST_DIFFERENT:
        faults.append(f"It needs at least {_FEWEST_DIFFERENT} different characters.")
    if login and login.casefold() in password.casefold():
        faults.append("It must not hold the login.")
    return faults


def _classes(password: str) -> int:
    kinds = (
        any(sign.islower() for sign in password),
        any(sign.isupper() for sign in password),
        any(sign.isdecimal() for sign in password),
        any(not (sign.islower() or sign.isupper() or sign.isdecimal()) for sign in password),
    )
    return sum(kinds)


def lock_after(failures: int, *, allowed: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long to lock after so many failures in a row.

    Nothing below `allowed`, then `first`, then twice as long for each further failure.
    """
    over = failures - allowed
    if over < 0:
        return timedelta(0)
    # The cap on the exponent keeps a long row of failures from overflowing.
    return min(first * (1 << min(over, 20)), longest)


def is_too_old(changed_at: datetime, now: datetime, *, days: int) -> bool:
    return now - changed_at > timedelta(days=days)


def new_code() -> str:
    """A one-time code that can be read out: 80 random bits in groups of four."""
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
    groups = [text[at : at + _CODE_GROUP] for at in range(0, len(text), _CODE_GROUP)]
    return "-".join(groups)


def code_digest(code: str) -> str:
    """What is stored of a one-time code; small letters and missing dashes do not matter."""
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


def login_guard(login: str) -> str:
    """Name under which failures of a login are counted, known or not.

    It is a digest, because people type passwords into the wrong field.
    """
    return f"login:{hashlib.sha256(login.encode()).hexdigest()[:40]}"


def address_guard(address: str | None) -> str:
    return f"address:{address or 'unknown'}"[:80]
