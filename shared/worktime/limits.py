"""Time limits as the field states them: working hours, working days, or hours of the clock."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Self

from shared.worktime.errors import LimitNotUnderstood

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# A limit longer than this is a slip of the pen, and would only fail later and less clearly.
LONGEST = 200 * 366 * DAY

_AMOUNT_AND_KIND = re.compile(
    r"(?P<amount>[+-]?\d{1,12}(?:\.\d{1,12})?)\s+(?P<kind>[a-z-]+)", re.ASCII
)


class LimitKind(StrEnum):
    """What a limit counts. The first two stop outside working time, the others never stop."""

    WORKING_HOURS = "working-hours"
    WORKING_DAYS = "working-days"
    HOURS = "hours"
    DAYS = "days"
    MINUTES = "minutes"

    @property
    def continuous(self) -> bool:
        """Whether nights, rest days and holidays count."""
        return self not in (LimitKind.WORKING_HOURS, LimitKind.WORKING_DAYS)


_MICROSECONDS = {
    LimitKind.WORKING_HOURS: HOUR,
    LimitKind.WORKING_DAYS: DAY,
    LimitKind.HOURS: HOUR,
    LimitKind.DAYS: DAY,
    LimitKind.MINUTES: MINUTE,
}
_SINGULAR = {kind.value.removesuffix("s"): kind for kind in LimitKind}
_WORDS = {
    LimitKind.WORKING_HOURS: ("个工作时", "working hours"),
    LimitKind.WORKING_DAYS: ("个工作日", "working days"),
    LimitKind.HOURS: ("个紧急工作时", "hours, nights and holidays included"),
    LimitKind.DAYS: ("个紧急工作日", "days of 24 hours, nights and holidays included"),
    LimitKind.MINUTES: ("个紧急工作分钟", "minutes, nights and holidays included"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """An exact amount of one kind of time.

    Attributes:
        amount: how many of the kind; exact, never a float.
        kind: what is counted.
        microseconds: the amount for every kind but working days, rounded up to a whole
            microsecond, so that nothing is due before its time.
        continuous: whether nights, rest days and holidays count.
        plain_hours: whether it is some working hours, more than none: the common case, decided
            once here because it is asked at every answer.

    Raises:
        LimitNotUnderstood: the amount is negative, not exact, or longer than two centuries.
    """

    amount: Fraction
    kind: LimitKind
    microseconds: int = field(init=False, repr=False, compare=False)
    continuous: bool = field(init=False, repr=False, compare=False)
    plain_hours: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.amount, float):
            raise LimitNotUnderstood(
                f"the amount {self.amount!r} is a floating point number: give it as an integer, "
                f"a Decimal or a Fraction, which are exact"
            )
        amount = Fraction(self.amount)
        if amount < 0:
            raise LimitNotUnderstood(
                f"a limit cannot be negative: {decimal_text(amount)} {self.kind}"
            )
        exact = amount * _MICROSECONDS[self.kind]
        if exact > LONGEST:
            raise LimitNotUnderstood(
                f"a limit of {decimal_text(amount)} {self.kind} is longer than two centuries: "
                f"check the number"
            )
        object.__setattr__(self, "amount", amount)
        object.__setattr__(self, "microseconds", -(-exact.numerator // exact.denominator))
        object.__setattr__(self, "continuous", self.kind.continuous)
        plain_hours = self.kind is LimitKind.WORKING_HOURS and amount > 0
        object.__setattr__(self, "plain_hours", plain_hours)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a limit such as ``2 working-hours``, ``0.5 working-days`` or ``90 minutes``."""
        match = _AMOUNT_AND_KIND.fullmatch(text.strip())
        kind = None if match is None else _kind_named(match["kind"])
        if match is None or kind is None:
            raise LimitNotUnderstood(
                f'cannot read the limit "{text}": write a number and one of '
                f"{', '.join(LimitKind)}, for example 2 working-hours"
            )
        return cls(Fraction(match["amount"]), kind)

    def scaled(self, share: Fraction | Decimal | int) -> Self:
        """The same kind of limit, ``share`` times as long."""
        return type(self)(self.amount * Fraction(share), self.kind)

    def plus(self, other: Self) -> Self:
        """Lengthen the limit by another of the same kind, as a granted extension does."""
        self._same_kind(other)
        return type(self)(self.amount + other.amount, self.kind)

    def minus(self, used: Self) -> Self:
        """What is left after ``used``; never less than nothing."""
        self._same_kind(used)
        return type(self)(max(self.amount - used.amount, Fraction(0)), self.kind)

    def words(self, language: str) -> str:
        """The limit in a reader's words, ``zh`` or ``en``."""
        zh, en = _WORDS[self.kind]
        amount = decimal_text(self.amount)
        return f"{amount}{zh}" if language == "zh" else f"{amount} {en}"

    def _same_kind(self, other: Self) -> None:
        if other.kind is not self.kind:
            raise LimitNotUnderstood(
                f"{self.kind} and {other.kind} cannot be added up: state both in one kind"
            )

    def __str__(self) -> str:
        return f"{decimal_text(self.amount)} {self.kind}"


def _kind_named(word: str) -> LimitKind | None:
    return _SINGULAR.get(word.removesuffix("s"))


def decimal_text(number: Fraction) -> str:
    """The number in decimal digits where they end, else as a fraction; always exact."""
    rest = number.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        return f"{number.numerator}/{number.denominator}"
    digits = 0
    while (number * 10**digits).denominator != 1:
        digits += 1
    scaled = int(number * 10**digits)
    return format(Decimal(scaled).scaleb(-digits), "f")


def seconds_text(duration: timedelta) -> str:
    """Whole seconds, with as many decimals as it takes to be exact."""
    return decimal_text(Fraction(duration // timedelta(microseconds=1), SECOND))
