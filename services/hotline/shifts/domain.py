"""The rules of a shift."""

from datetime import datetime, timedelta

from services.hotline.shifts.errors import ShiftTimesInvalid

LONGEST_SHIFT = timedelta(hours=24)


def check_times(starts_at: datetime, ends_at: datetime) -> None:
    """Refuse a shift that ends before it begins or lasts longer than a day.

    Raises:
        ShiftTimesInvalid: it does.
    """
    if not timedelta(0) < ends_at - starts_at <= LONGEST_SHIFT:
        raise ShiftTimesInvalid("`ends_at` lies after `starts_at`, by 24 hours at most.")
