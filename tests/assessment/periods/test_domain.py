"""Periods are whole months of the city's own calendar."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.periods.domain import PeriodKind, local_day, parse_period
from services.assessment.periods.errors import PeriodUnreadable

LANZHOU = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("key", "kind", "start", "end"),
    [
        ("2026-05", PeriodKind.MONTH, "2026-05-01", "2026-06-01"),
        ("2026-12", PeriodKind.MONTH, "2026-12-01", "2027-01-01"),
        ("2026-Q2", PeriodKind.QUARTER, "2026-04-01", "2026-07-01"),
        ("2026-Q4", PeriodKind.QUARTER, "2026-10-01", "2027-01-01"),
        ("2026", PeriodKind.YEAR, "2026-01-01", "2027-01-01"),
    ],
)
def test_a_period_runs_from_local_midnight_to_local_midnight(
    key: str, kind: PeriodKind, start: str, end: str
) -> None:
    period = parse_period(key, LANZHOU)

    assert period.kind is kind
    assert period.start == datetime.fromisoformat(f"{start}T00:00:00+08:00")
    assert period.end == datetime.fromisoformat(f"{end}T00:00:00+08:00")
    assert period.first_day.isoformat() == start
    assert period.start in period
    assert period.end not in period


@pytest.mark.parametrize(
    "key",
    [
        "",
        "2026-13",
        "2026-00",
        "2026-Q5",
        "2026-Q0",
        "26-05",
        "2026-5",
        "1969",
        "2199",
        "２０２６",
        "2026-05-01",
    ],
)
def test_anything_else_is_refused(key: str) -> None:
    with pytest.raises(PeriodUnreadable):
        parse_period(key, LANZHOU)


@given(
    instant=st.datetimes(
        min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - made aware below
        max_value=datetime(2190, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
    zone=st.sampled_from([LANZHOU, NEW_YORK]),
)
def test_every_instant_lies_in_exactly_the_periods_of_its_local_date(
    instant: datetime, zone: ZoneInfo
) -> None:
    local = instant.astimezone(zone)
    quarter = (local.month + 2) // 3

    for key in (f"{local:%Y-%m}", f"{local:%Y}-Q{quarter}", f"{local:%Y}"):
        assert instant in parse_period(key, zone)
    next_month = (local.replace(day=1) + timedelta(days=32)).strftime("%Y-%m")
    assert instant not in parse_period(next_month, zone)


def test_the_day_begins_at_the_citys_midnight() -> None:
    now = datetime.fromisoformat("2026-05-31T17:30:00+00:00")

    since, _ = local_day(now, LANZHOU)

    assert since.isoformat() == "2026-05-31T16:00:00+00:00"
