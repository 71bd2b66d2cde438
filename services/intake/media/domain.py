"""What a photograph's own facts say against what it was sent as proof of.

Everything a camera writes into a picture is a claim of the sender's: a contradiction is shown to
whoever decides, and refuses nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.geo import Position, distance_m
from shared.media import hash_distance

ALIKE_BITS = 3
"""Perceptual hashes at most so many bits apart are of pictures that look the same.

One less than a hash has quarters, so that two such hashes always have a whole quarter in common.
"""
_QUARTERS = 4
_QUARTER_DIGITS = 4


class Doubt(StrEnum):
    """What speaks against a photograph."""

    TAKEN_ELSEWHERE = "taken-elsewhere"
    TAKEN_AT_ANOTHER_TIME = "taken-at-another-time"
    SENT_BEFORE = "sent-before"
    LIKE_ONE_SENT_BEFORE = "like-one-sent-before"


@dataclass(frozen=True, slots=True)
class Claim:
    """Where and when a photograph is said to have been taken; None where nothing is said."""

    position: Position | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Photograph:
    """A stored photograph as the doubts see it.

    Attributes:
        captured_at, captured_position: the camera's word; None where it gives none.
        first_sent_at: when these very bytes came in for the first time.
        like_first_sent_at: when another photograph that looks the same came in for the first time.
    """

    captured_at: datetime | None
    captured_position: Position | None
    first_sent_at: datetime
    like_first_sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a photograph may be from what it proves before it is doubted."""

    metres: float
    time: timedelta


def quarters(perceptual_hash: str | None) -> list[int | None]:
    """A perceptual hash of 64 bits in four numbers, to look others up by that are nearly it."""
    if perceptual_hash is None:
        return [None] * _QUARTERS
    digits = perceptual_hash.zfill(_QUARTERS * _QUARTER_DIGITS)
    starts = range(0, len(digits), _QUARTER_DIGITS)
    return [int(digits[start : start + _QUARTER_DIGITS], 16) for start in starts]


def look_alike(one: str, other: str) -> bool:
    """Whether two perceptual hashes are of pictures that look the same to a person."""
    return hash_distance(one, other) <= ALIKE_BITS


def doubts_about(photograph: Photograph, claim: Claim, tolerance: Tolerance) -> list[Doubt]:
    """Why somebody should look twice at a photograph, in the order of `Doubt`.

    A photograph that was sent before what it shows was seen, by more than the tolerance, cannot be
    of it; one sent later can, because handsets send when they have a network.
    """
    before = claim.at - tolerance.time
    found = {
        Doubt.TAKEN_ELSEWHERE: _is_elsewhere(photograph, claim, tolerance),
        Doubt.TAKEN_AT_ANOTHER_TIME: photograph.captured_at is not None
        and abs(photograph.captured_at - claim.at) > tolerance.time,
        Doubt.SENT_BEFORE: photograph.first_sent_at < before,
        Doubt.LIKE_ONE_SENT_BEFORE: photograph.like_first_sent_at is not None
        and photograph.like_first_sent_at < before,
    }
    return [doubt for doubt, holds in found.items() if holds]


def _is_elsewhere(photograph: Photograph, claim: Claim, tolerance: Tolerance) -> bool:
    if photograph.captured_position is None or claim.position is None:
        return False
    # The claim may be inaccurate by its own word.
    allowed = tolerance.metres + (claim.position.accuracy_m or 0.0)
    return distance_m(photograph.captured_position, claim.position) > allowed
