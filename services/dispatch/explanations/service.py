"""Puts the clock of a case into a list that a person can check by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from services.dispatch.case_files.models import SegmentRow
from services.dispatch.case_files.schemas import TextView
from services.dispatch.case_files.service import CaseFile, view_of
from services.dispatch.clocks.domain import (
    Counted,
    CountRule,
    Light,
    SegmentKind,
    Span,
    counted_segments,
    counted_time,
    light,
)
from services.dispatch.explanations.schemas import (
    CaseClockView,
    CountedDayView,
    CountedView,
    DecisionView,
    HandlingClockView,
    SegmentView,
)
from services.dispatch.requests.models import Request
from shared.pack.model import Stage
from shared.worktime import Limit, LimitKind, explain_due, explain_elapsed

_SECOND = timedelta(seconds=1)
_MINUTE = 60_000_000

RULE_WORDS = {
    CountRule.OWN_HANDLING: TextView(
        zh="本单位处置用时，计入", en="The unit's own handling, which counts"
    ),
    CountRule.COMMAND_DUTY: TextView(
        zh="履行指挥职责的单位，派遣与处置合并计时",
        en="A unit with command duty has the wait for dispatch on its clock",
    ),
    CountRule.WHOLE_TIME: TextView(
        zh="多次派遣，自首次派遣起全程计时",
        en="Dispatched so often that everything since the first dispatch counts",
    ),
}


def explain_clock(file: CaseFile, requests: Sequence[Request], now: datetime) -> CaseClockView:
    """Everything that the lights of a case are made of, as of `now`.

    Args:
        file: of the case.
        requests: what was asked about it, oldest first.
        now: aware.
    """
    case = file.case
    at = case.closed_at or now
    return CaseClockView(
        id=case.id,
        number=case.number,
        at=now,
        total=view_of(case, file.pack, now).total,
        segments=[_segment(file, row, at) for row in file.segments],
        clocks=[_clock(file, row.number, at) for row in file.assignments],
        decisions=[_decision(file, row, at) for row in requests],
    )


def _segment(file: CaseFile, row: SegmentRow, at: datetime) -> SegmentView:
    end, kind = row.ended_at or at, _kind_of(file, row)
    return SegmentView(
        number=row.number,
        kind=row.kind,
        holder=row.holder,
        assignment=row.assignment,
        started_at=row.started_at,
        ended_at=row.ended_at,
        reason=row.reason,
        due_at=row.due_at,
        light=light(row.warn_at, row.due_at, end),
        seconds=counted_time(file.pack.calendar, [Span(row.started_at, end)], kind, end) // _SECOND,
        days=_days(file, row.started_at, end, kind),
    )


def _kind_of(file: CaseFile, row: SegmentRow) -> LimitKind:
    """The kind of time in which a stage is limited, or would be."""
    if row.kind in {SegmentKind.HANDLING, SegmentKind.DEFERRAL}:
        return file.charges()[row.assignment - 1].limit.kind
    limit = file.stage_limit(row.kind)
    return limit.kind if limit else _usual_kind(file)


def _usual_kind(file: CaseFile) -> LimitKind:
    return LimitKind.HOURS if file.case.urgent else LimitKind.WORKING_HOURS


def _decision(file: CaseFile, row: Request, at: datetime) -> DecisionView:
    case, end = file.case, row.decided_at or at
    limit = file.pack.stages.limit_of(Stage.SUPERVISION, urgent=case.urgent, special=case.special)
    kind = limit.kind if limit else _usual_kind(file)
    spans = [Span(row.asked_at, end)]
    return DecisionView(
        kind=row.kind,
        state=row.state,
        assignment=row.assignment,
        unit=row.unit,
        time=row.time,
        until=row.until,
        asked_at=row.asked_at,
        proposed_at=row.proposed_at,
        decided_at=row.decided_at,
        due_at=row.due_at,
        light=light(row.warn_at, row.due_at, end),
        seconds=counted_time(file.pack.calendar, spans, kind, end) // _SECOND,
    )


def _clock(file: CaseFile, number: int, at: datetime) -> HandlingClockView:
    """One dispatch's clock; a past one as it stood when the next began."""
    segments = file.timeline()
    later = [item for item in segments if item.kind is SegmentKind.HANDLING]
    ends = [item.started_at for item in later if item.assignment > number]
    moment = min([at, *ends])
    charges, row = file.charges(), file.assignments[number - 1]
    counted = counted_segments(segments, charges, number, file.rules)
    limit = charges[number - 1].limit
    reading = file.read(at=moment, number=number)
    shown = [item for item in counted if item.segment.started_at < moment]
    deadline = reading.deadline
    return HandlingClockView(
        assignment=number,
        unit=row.unit,
        limit=str(limit),
        limit_seconds=reading.allowed // _SECOND,
        used_seconds=reading.used // _SECOND,
        paused=reading.paused and number == len(charges),
        warn_at=deadline.warn_at,
        due_at=deadline.due_at,
        provisional=deadline.provisional,
        light=_clock_light(file, number, moment),
        counted=[
            _counted(file, item, segments.index(item.segment) + 1, limit.kind, moment)
            for item in shown
        ],
    )


def _clock_light(file: CaseFile, number: int, moment: datetime) -> Light:
    """By the instant up to which time was counted: what was handed in on time stays green."""
    reading = file.read(at=moment, number=number)
    if reading.paused and number == len(file.assignments):
        return Light.NONE
    counted = counted_segments(file.timeline(), file.charges(), number, file.rules)
    last = counted[-1].segment.ended_at
    judged = moment if last is None else min(last, moment)
    return light(reading.deadline.warn_at, reading.deadline.due_at, judged)


def _counted(
    file: CaseFile, item: Counted, segment: int, kind: LimitKind, moment: datetime
) -> CountedView:
    start, end = item.segment.started_at, min(item.segment.ended_at or moment, moment)
    seconds = counted_time(file.pack.calendar, [item.span], kind, moment) // _SECOND
    return CountedView(
        segment=segment,
        rule=item.rule,
        rule_words=RULE_WORDS[item.rule],
        seconds=seconds,
        days=_days(file, start, end, kind),
    )


def _days(file: CaseFile, start: datetime, end: datetime, kind: LimitKind) -> list[CountedDayView]:
    """The days of a stretch of time with the spans that count."""
    calendar = file.pack.calendar
    if kind.continuous:
        minutes = Fraction((end - start) // timedelta(microseconds=1), _MINUTE)
        passed = Limit(minutes, LimitKind.MINUTES)
        explanation = explain_due(calendar, start, passed, provisional=True)
    else:
        explanation = explain_elapsed(calendar, start, end, provisional=True)
    return [
        CountedDayView(
            date=day["date"],
            seconds=day["seconds"],
            spans=[_span_words(span) for span in day["spans"]],
            zh=day["zh"],
            en=day["en"],
        )
        for day in explanation.as_json()["days"]
    ]


def _span_words(span: dict[str, Any]) -> str:
    """A span in local time of day, seconds only where there are any."""
    start, end = (datetime.fromisoformat(span[name]) for name in ("start", "end"))
    closing = "24:00" if end.date() != start.date() else _time_of_day(end)
    return f"{_time_of_day(start)}-{closing}"


def _time_of_day(instant: datetime) -> str:
    exact = bool(instant.second or instant.microsecond)
    return instant.time().isoformat() if exact else instant.strftime("%H:%M")
