"""Points in time as whole microseconds since 1970 in UTC, and as the wall clock of a zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.worktime.errors import InstantNotUnderstood, OutsideCalendar
from shared.worktime.limits import DAY, SECOND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_EARLIEST = (datetime(2, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
_LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def microseconds_of(instant: datetime) -> int:
    """Whole microseconds since 1970 in UTC.

    Raises:
        InstantNotUnderstood: the datetime carries no zone.
    """
    try:
        since = instant - EPOCH
    except TypeError:
        raise InstantNotUnderstood(
            f"{instant.isoformat()} has no zone: give it its offset, such as +08:00"
        ) from None
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def local_instant(microseconds: int, zone: ZoneInfo) -> datetime:
    """The instant on the clock of the zone."""
    if not _EARLIEST <= microseconds <= _LATEST:
        raise OutsideCalendar("the answer lies outside the years 2 to 9998: check the limit")
    return (EPOCH + timedelta(microseconds=microseconds)).astimezone(zone)


def wall_clock(day: date, seconds: int, zone: ZoneInfo) -> int:
    """When the zone's clock shows so many seconds after midnight of a local date.

    A time that the clock shows twice means the first; one that it skips means the moment of
    the skip. 86,400 seconds is the midnight that ends the day.
    """
    days, seconds = divmod(seconds, 86_400)
    naive = datetime.combine(day + timedelta(days=days), time()) + timedelta(seconds=seconds)
    first = microseconds_of(naive.replace(tzinfo=zone))
    if local_instant(first, zone).replace(tzinfo=None) == naive:
        return first
    # Skipped: by the offset after the change we are before it, and the other way round.
    before, after = microseconds_of(naive.replace(tzinfo=zone, fold=1)), first
    offset_after = local_instant(after, zone).utcoffset()
    while after - before > SECOND:
        middle = (before + after) // (2 * SECOND) * SECOND
        if local_instant(middle, zone).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return after


def same_offset_all_day(day: date, zone: ZoneInfo) -> bool:
    """Whether the clock of the zone neither skips nor repeats anything on a local date."""
    start = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return (
        start.utcoffset() == end.utcoffset()
        and microseconds_of(end) - microseconds_of(start) == DAY
    )


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """Read ISO 8601 with time and offset; without an offset it is the clock of the zone.

    Raises:
        InstantNotUnderstood: the text is no such thing, or the zone's clock shows that time
            twice or never, so that only an offset could say which instant is meant.
    """
    text = text.strip()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _not_understood(text) from None
    if len(text) <= len("2026-09-30"):
        raise _not_understood(text)
    if instant.tzinfo is not None:
        try:
            return instant.astimezone(zone)
        except OverflowError:
            raise _not_understood(text) from None
    first, second = instant.replace(tzinfo=zone), instant.replace(tzinfo=zone, fold=1)
    if first.utcoffset() != second.utcoffset():
        raise InstantNotUnderstood(
            f"{text}: the clock of {zone.key} changes then and shows that time twice or never: "
            f"add the offset that is meant"
        )
    return first


def _not_understood(text: str) -> InstantNotUnderstood:
    return InstantNotUnderstood(
        f'cannot read the time "{text}": write ISO 8601 with date, time and offset, such as '
        f"2026-09-30T16:50:00+08:00"
    )
