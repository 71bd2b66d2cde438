"""Deadlines worked out by hand around season changes, holidays, make-up days and clock changes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from shared.worktime import (
    Calendar,
    EndBeforeStart,
    InstantNotUnderstood,
    Limit,
    LimitKind,
    LimitNotUnderstood,
    MissingHolidayYear,
    OutsideCalendar,
    explain_due,
    parse_instant,
)
from shared.worktime.arrays import due_many, elapsed_many, instants_from


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        # Wednesday's last 40 minutes of summer, then the eight-day holiday, then winter hours.
        ("2026-09-30T16:50:00+08:00", "2 working-hours", "2026-10-08T09:50:00+08:00"),
        # Ends exactly when the season closes for the last time.
        ("2026-09-30T16:50:00+08:00", "40 minutes", "2026-09-30T17:30:00+08:00"),
        ("2026-09-30T16:30:00+08:00", "1 working-hours", "2026-09-30T17:30:00+08:00"),
        # Ends exactly at the noon closing, not at the afternoon's opening.
        ("2026-06-01T10:30:00+08:00", "1 working-hour", "2026-06-01T11:30:00+08:00"),
        ("2026-06-01T10:30:00+08:00", "1.5 working-hours", "2026-06-01T14:30:00+08:00"),
        # Begins at the next working instant: noon, evening, Sunday.
        ("2026-06-01T12:00:00+08:00", "0.5 working-hours", "2026-06-01T14:30:00+08:00"),
        ("2026-06-01T11:30:00+08:00", "0.5 working-hours", "2026-06-01T14:30:00+08:00"),
        ("2026-06-01T20:00:00+08:00", "0.5 working-hours", "2026-06-02T09:00:00+08:00"),
        ("2026-05-31T10:00:00+08:00", "0.5 working-hours", "2026-06-01T09:00:00+08:00"),
        # Saturdays work.
        ("2026-06-05T17:00:00+08:00", "1 working-hours", "2026-06-06T09:00:00+08:00"),
        # Make-up Saturday before the Spring Festival, nine days off, Tuesday 24 February.
        ("2026-02-14T16:30:00+08:00", "1 working-hours", "2026-02-24T09:00:00+08:00"),
        # A make-up Sunday works.
        ("2026-09-20T08:00:00+08:00", "1 working-hours", "2026-09-20T09:30:00+08:00"),
        ("2026-01-04T08:00:00+08:00", "1 working-hours", "2026-01-04T09:30:00+08:00"),
        # One working day from the middle of a day to the same point of the next.
        ("2026-06-01T10:00:00+08:00", "1 working-days", "2026-06-02T10:00:00+08:00"),
        ("2026-06-01T08:30:00+08:00", "1 working-days", "2026-06-01T17:30:00+08:00"),
        ("2026-06-01T08:30:00+08:00", "0.5 working-days", "2026-06-01T14:15:00+08:00"),
        # Continuous limits look at no calendar.
        ("2026-10-03T23:00:00+08:00", "2 hours", "2026-10-04T01:00:00+08:00"),
        ("2026-12-31T23:00:00+08:00", "1.5 days", "2027-01-02T11:00:00+08:00"),
        ("2026-10-03T23:00:00+08:00", "0 minutes", "2026-10-03T23:00:00+08:00"),
        # Nothing at all is due where work begins.
        ("2026-06-01T12:00:00+08:00", "0 working-hours", "2026-06-01T14:00:00+08:00"),
        ("2026-06-01T10:00:00+08:00", "0 working-days", "2026-06-01T10:00:00+08:00"),
        # Asked from another offset, answered in the calendar's.
        ("2026-06-01T02:00:00+00:00", "1 working-hours", "2026-06-01T11:00:00+08:00"),
    ],
)
def test_qilihe(qilihe: Calendar, start: str, limit: str, due: str) -> None:
    found = qilihe.due(at(start), Limit.parse(limit))

    assert found.instant.isoformat() == due
    assert not found.provisional


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        # The clock skips an hour on Sunday 8 March; working hours do not notice.
        ("2026-03-06T16:00:00-05:00", "2 working-hours", "2026-03-09T10:00:00-04:00"),
        # 24 hours are 24 hours across the change.
        ("2026-03-07T12:00:00-05:00", "1 days", "2026-03-08T13:00:00-04:00"),
        ("2026-10-31T12:00:00-04:00", "24 hours", "2026-11-01T11:00:00-05:00"),
        # Independence Day falls on a Saturday and is observed on Friday 3 July 2026.
        ("2026-07-02T16:00:00-04:00", "2 working-hours", "2026-07-06T10:00:00-04:00"),
    ],
)
def test_new_york(new_york: Calendar, start: str, limit: str, due: str) -> None:
    assert new_york.due(at(start), Limit.parse(limit)).instant.isoformat() == due


def test_hours_over_a_skipped_hour_are_shorter_and_over_a_repeated_one_longer(
    nights: Calendar,
) -> None:
    assert nights.elapsed(
        at("2026-03-08T00:00:00-05:00"), at("2026-03-08T12:00:00-04:00")
    ) == timedelta(hours=3)
    assert nights.elapsed(
        at("2026-11-01T00:00:00-04:00"), at("2026-11-01T12:00:00-05:00")
    ) == timedelta(hours=5)


def test_hours_that_open_in_a_skipped_hour_open_at_the_skip(
    calendar_of: Callable[[str], Calendar],
) -> None:
    calendar = calendar_of(
        'zone = "America/New_York"\nholidays.source = "none"\n'
        '[[season]]\nfrom = "01-01"\nto = "12-31"\nhours = ["02:30-05:00"]\n'
    )

    due = calendar.due(at("2026-03-08T00:00:00-05:00"), Limit.parse("1 working-hours"))

    assert due.instant.isoformat() == "2026-03-08T04:00:00-04:00"


def test_a_shortened_day_counts_as_part_of_a_day(nights: Calendar) -> None:
    start = at("2026-07-03T12:00:00-04:00")

    used = nights.used(LimitKind.WORKING_DAYS, start, at("2026-07-04T00:00:00-04:00"))

    assert used.amount == Fraction(1, 1) / Fraction(15, 2)


@pytest.mark.parametrize(
    ("start", "limit", "next_day", "same_day"),
    [
        ("2026-06-01T10:00", "1 working-days", "2026-06-02T17:30", "2026-06-01T17:30"),
        ("2026-06-01T20:00", "1 working-days", "2026-06-02T17:30", "2026-06-02T17:30"),
        ("2026-05-31T10:00", "2 working-days", "2026-06-02T17:30", "2026-06-02T17:30"),
        ("2026-09-30T10:00", "2 working-days", "2026-10-09T17:00", "2026-10-08T17:00"),
        # A part of a day is that day.
        ("2026-06-01T10:00", "1.5 working-days", "2026-06-03T17:30", "2026-06-02T17:30"),
    ],
)
def test_end_of_nth_day(  # noqa: PLR0917  fixtures and columns
    qilihe_by_nth_day: Calendar,
    qilihe_counting_first_day: Calendar,
    start: str,
    limit: str,
    next_day: str,
    same_day: str,
) -> None:
    for calendar, due in ((qilihe_by_nth_day, next_day), (qilihe_counting_first_day, same_day)):
        found = calendar.due(at(start + ":00+08:00"), Limit.parse(limit))

        assert found.instant.isoformat() == due + ":00+08:00"


def test_a_limit_that_ends_in_a_known_year_does_not_ask_for_the_next(qilihe: Calendar) -> None:
    due = qilihe.due(at("2026-12-31T16:00:00+08:00"), Limit.parse("1 working-hours"))

    assert due.instant.isoformat() == "2026-12-31T17:00:00+08:00"


@pytest.mark.parametrize(
    ("start", "limit", "year"),
    [
        ("2026-12-31T16:00:00+08:00", "1.1 working-hours", 2027),
        ("2026-12-31T18:00:00+08:00", "0 working-hours", 2027),
        ("2026-12-01T16:00:00+08:00", "500 working-days", 2027),
        ("2031-06-01T16:00:00+08:00", "1 working-hours", 2031),
        ("2003-12-31T16:00:00+08:00", "1 working-hours", 2003),
        ("1990-06-01T16:00:00+08:00", "1 working-hours", 1990),
    ],
)
def test_a_year_without_holiday_data_is_refused_by_name(
    qilihe: Calendar, start: str, limit: str, year: int
) -> None:
    with pytest.raises(MissingHolidayYear, match=str(year)) as refused:
        qilihe.due(at(start), Limit.parse(limit))

    assert refused.value.extra == {"year": year}
    starts = instants_from([at(start)])
    with pytest.raises(MissingHolidayYear, match=str(year)):
        due_many(qilihe, starts, Limit.parse(limit))


def test_elapsed_up_to_new_year_needs_no_data_of_the_new_year(qilihe: Calendar) -> None:
    start, new_year = at("2026-12-31T16:00:00+08:00"), at("2027-01-01T00:00:00+08:00")

    assert qilihe.elapsed(start, new_year) == timedelta(hours=1)
    assert elapsed_many(qilihe, instants_from([start]), instants_from([new_year])).tolist() == [
        3_600_000_000
    ]
    with pytest.raises(MissingHolidayYear, match="2027"):
        qilihe.elapsed(start, new_year + timedelta(microseconds=1))


def test_a_provisional_answer_goes_by_statute_and_says_so(qilihe: Calendar) -> None:
    start = at("2026-12-31T16:00:00+08:00")

    due = qilihe.due(start, Limit.parse("2 working-hours"), provisional=True)
    within = qilihe.due(start, Limit.parse("1 working-hours"), provisional=True)

    # New Year's Day is fixed by statute; Saturday 2 January is taken to work.
    assert due.instant.isoformat() == "2027-01-02T09:30:00+08:00"
    assert due.provisional
    assert not within.provisional
    assert qilihe.is_provisional(start, due.instant)
    assert not qilihe.is_provisional(start, at("2027-01-01T00:00:00+08:00"))
    starts = instants_from([start, start])
    many = due_many(
        qilihe,
        starts,
        [Limit.parse("2 working-hours"), Limit.parse("1000 days")],
        np.array([0, 1]),
        provisional=True,
    )
    assert many.provisional.tolist() == [True, False]


def test_a_known_year_between_unknown_ones_can_be_asked(
    calendar_of: Callable[[str], Calendar],
) -> None:
    calendar = calendar_of(
        'zone = "Asia/Shanghai"\n[holidays]\nsource = "china"\nnotice_years = [2028]\n'
        '[[season]]\nfrom = "01-01"\nto = "12-31"\nhours = ["08:00-12:00"]\n'
        '[[override]]\ndate = 2028-01-26\nworking = false\nname = "春节"\n'
    )
    limit = Limit.parse("5 working-hours")

    due = [
        calendar.due(at(f"{day}T08:00:00+08:00"), limit).instant.isoformat()
        for day in ("2026-03-02", "2028-01-25", "2026-03-02")
    ]

    assert due == [
        "2026-03-03T09:00:00+08:00",
        "2028-01-27T09:00:00+08:00",
        "2026-03-03T09:00:00+08:00",
    ]
    with pytest.raises(MissingHolidayYear, match="2027"):
        calendar.elapsed(at("2026-03-02T08:00:00+08:00"), at("2028-03-02T08:00:00+08:00"))
    starts = instants_from([at("2026-03-02T08:00:00+08:00"), at("2028-01-25T08:00:00+08:00")])
    assert (
        due_many(calendar, starts, limit).instants.tolist()
        == instants_from([at(due[0]), at(due[1])]).tolist()
    )


def test_warning_stands_at_the_share_of_the_limit(
    qilihe: Calendar, qilihe_by_nth_day: Calendar
) -> None:
    start, share = at("2026-06-01T08:30:00+08:00"), Fraction(4, 5)

    warn = qilihe.warn_at(start, Limit.parse("5 working-hours"), share).instant
    nth = qilihe_by_nth_day.warn_at(start, Limit.parse("1 working-days"), share).instant

    assert warn.isoformat() == "2026-06-01T15:00:00+08:00"
    # 13 hours until Tuesday's close; 10.4 of them used at 14:54 on Tuesday.
    assert nth.isoformat() == "2026-06-02T14:54:00+08:00"


def test_remaining_is_what_is_left_and_never_less_than_nothing(qilihe: Calendar) -> None:
    start, limit = at("2026-06-01T08:30:00+08:00"), Limit.parse("2 working-days")

    assert qilihe.remaining(limit, start, at("2026-06-01T17:30:00+08:00")) == Limit.parse(
        "1 working-days"
    )
    assert qilihe.remaining(limit, start, at("2026-06-09T17:30:00+08:00")).amount == 0


def test_advance_takes_exact_seconds(qilihe: Calendar) -> None:
    start = at("2026-06-01T11:29:59+08:00")

    assert qilihe.advance(start, Decimal("1.25")).instant.isoformat() == (
        "2026-06-01T14:00:00.250000+08:00"
    )


def test_elapsed_under_a_continuous_kind_is_the_time_between(qilihe: Calendar) -> None:
    start, end = at("2026-10-01T00:00:00+08:00"), at("2026-10-02T01:00:00+08:00")

    assert qilihe.elapsed_under(LimitKind.HOURS, start, end) == timedelta(hours=25)
    assert qilihe.elapsed_under(LimitKind.WORKING_DAYS, start, end) == timedelta(0)


def test_bad_questions_are_refused(qilihe: Calendar, new_york: Calendar, nights: Calendar) -> None:
    start = at("2026-06-01T08:30:00+08:00")
    with pytest.raises(EndBeforeStart):
        qilihe.elapsed(start, start - timedelta(seconds=1))
    with pytest.raises(InstantNotUnderstood, match="offset"):
        qilihe.due(start.replace(tzinfo=None), Limit.parse("1 hours"))
    with pytest.raises(OutsideCalendar, match="2199"):
        nights.due(start, Limit.parse("70000 working-days"))
    with pytest.raises(OutsideCalendar):
        new_york.due(datetime(9990, 1, 1, tzinfo=UTC), Limit.parse("9000 days"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "working-hours",
        "2working-hours",
        "2 weeks",
        "-1 hours",
        "1e3 hours",
        "nan hours",
        "1,5 hours",
        "99999999 days",
        "１ hours",
    ],
)
def test_limits_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(LimitNotUnderstood):
        Limit.parse(text)


def test_limits_read_and_print_exactly() -> None:
    assert [str(Limit.parse(text)) for text in ("2 working-hours", " 0.10 days ", "+1 minute")] == [
        "2 working-hours",
        "0.1 days",
        "1 minutes",
    ]
    assert str(Limit(Fraction(1, 3), LimitKind.DAYS)) == "1/3 days"
    assert Limit.parse("3 hours").minus(Limit.parse("5 hours")).amount == 0
    with pytest.raises(LimitNotUnderstood, match="one kind"):
        Limit.parse("3 hours").plus(Limit.parse("1 days"))
    with pytest.raises(LimitNotUnderstood, match="exact"):
        Limit(0.5, LimitKind.DAYS)


def test_a_time_without_offset_is_local_unless_the_clock_leaves_it_open(new_york: Calendar) -> None:
    zone = new_york.zone

    assert parse_instant("2026-06-01T09:00", zone).isoformat() == "2026-06-01T09:00:00-04:00"
    for text in ("2026-11-01T01:30:00", "2026-03-08T02:30:00"):
        with pytest.raises(InstantNotUnderstood, match="offset"):
            parse_instant(text, zone)
    for text in ("2026-06-01", "tomorrow", "", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"):
        with pytest.raises(InstantNotUnderstood):
            parse_instant(text, zone)


def test_explanation_names_every_day_and_why(qilihe: Calendar) -> None:
    explanation = explain_due(
        qilihe, at("2026-09-30T16:50:00+08:00"), Limit.parse("2 working-hours")
    )

    assert [day.date for day in explanation.days] == [
        date(2026, 9, 30) + timedelta(days=n) for n in range(9)
    ]
    assert [span["seconds"] for day in explanation.as_json()["days"] for span in day["spans"]] == [
        2400,
        4800,
    ]
    assert "国庆" in explanation.words("zh")
    assert "National Day" in explanation.words("en")
    assert explanation.words("zh").splitlines()[-1] == "到期: 2026-10-08T09:50:00+08:00"


def test_explanation_of_a_continuous_limit_counts_every_hour(qilihe: Calendar) -> None:
    explanation = explain_due(qilihe, at("2026-10-01T12:00:00+08:00"), Limit.parse("1.5 days"))

    assert [day.counted for day in explanation.days] == [timedelta(hours=12), timedelta(days=1)]
    assert (
        explanation.words("en")
        .splitlines()[3]
        .endswith("12:00-24:00  12:00:00  running total 12:00:00")
    )


@pytest.mark.parametrize("year", [1985, 1986, 1991, 1992, 2026])
def test_an_instant_means_the_same_in_every_zone_whatever_was_asked_before(
    calendar_of: Callable[[str], Calendar], year: int
) -> None:
    """Shanghai had summer time from 1986 to 1991, and none in the years asked first."""
    calendar = calendar_of(
        'zone = "Asia/Shanghai"\nholidays.source = "none"\n'
        '[[season]]\nfrom = "01-01"\nto = "12-31"\nhours = ["00:00-12:00", "23:00-24:00"]\n'
    )
    limit = Limit.parse("30 working-hours")
    calendar.due(at("2000-06-01T00:00:00+08:00"), limit)

    for hour in range(0, 366 * 24, 5):
        start = datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        local, end = start.astimezone(calendar.zone), start + timedelta(days=3)

        assert calendar.due(local, limit) == calendar.due(start, limit)
        assert calendar.elapsed(local, end.astimezone(calendar.zone)) == calendar.elapsed(
            start, end
        )


def test_the_furthest_answer_is_found_and_one_further_is_refused(nights: Calendar) -> None:
    start = at("2190-06-01T00:00:00-04:00")

    assert nights.due(start, Limit.parse("2900 working-days")).instant.year == 2199
    with pytest.raises(OutsideCalendar, match="2199"):
        nights.due(start, Limit.parse("4000 working-days"))
    with pytest.raises(OutsideCalendar, match="1850"):
        nights.due(at("1850-06-01T00:00:00-04:00"), Limit.parse("1 working-hours"))
