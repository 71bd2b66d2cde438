"""What a message is: its states, its words, and how long it waits between two tries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from string import Template
from typing import Protocol
from uuid import UUID

from shared.errors import InvalidInput

LONGEST_SUBJECT = 200


class Channel(StrEnum):
    """By which way a message leaves."""

    CONSOLE = "console"
    """Into the log of the worker, without an address: always there."""
    EMAIL = "email"
    SMS = "sms"
    """Any gateway that takes a signed JSON document over HTTP."""


class MessageState(StrEnum):
    QUEUED = "queued"
    """Waits for its first or its next try."""
    SENT = "sent"
    """The channel has taken it."""
    PARKED = "parked"
    """Given up on, with the reason, until somebody releases it."""


class WordingIncomplete(InvalidInput):
    """A message names words that the program does not have, or leaves a gap in them."""

    code = "wording-incomplete"


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one message in one language; `$name` stands for a parameter.

    Attributes:
        subject: one line, for channels that have subjects.
        text: whole and short enough for a telephone.
    """

    subject: str
    text: str


Wordings = Mapping[str, Mapping[str, Wording]]
"""Template id -> language tag -> words."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as a channel gets it.

    Attributes:
        id: the same in every try.
        recipient: account name or opaque id; never an address.
        address: where it goes; None for channels without addresses. Kept out of logs and errors.
    """

    id: UUID
    recipient: str
    subject: str
    text: str
    address: str | None = None


class AddressBook(Protocol):
    """Who knows how a recipient can be reached; each service brings its own."""

    async def address(self, recipient: str, channel: Channel) -> str | None:
        """The address of a recipient on a channel, or None where there is none."""


def worded(
    wordings: Wordings, template: str, language: str, parameters: Mapping[str, str]
) -> tuple[str, str]:
    """Subject and text of a message.

    A language that is missing falls back to its main tag (`zh-CN` to `zh`), then to the first one
    that the template has.

    Raises:
        WordingIncomplete: no such template, or a parameter is missing.
    """
    languages = wordings.get(template)
    if not languages:
        raise WordingIncomplete(f"There are no words for the message {template}.")
    found = languages.get(language) or languages.get(language.split("-", maxsplit=1)[0])
    wording = found or next(iter(languages.values()))
    try:
        subject = Template(wording.subject).substitute(parameters)
        text = Template(wording.text).substitute(parameters)
    except (KeyError, ValueError) as error:
        raise WordingIncomplete(f"The message {template} lacks the parameter {error}.") from None
    # A line break in a subject would begin a header of its own.
    return " ".join(subject.split())[:LONGEST_SUBJECT], text


def pause_before_next(attempts: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long a message waits after its n-th failed try: doubling from `first`, up to `longest`.

    Args:
        attempts: tries so far, at least 1.
        first: pause after the first one.
        longest: no pause is longer.
    """
    doublings = min(attempts - 1, 30)
    return min(first * (1 << doublings), longest)
