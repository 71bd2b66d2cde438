"""Why a deadline or a duration is what it is: day by day, in a list that can be checked by hand."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from shared.worktime.calendar import Calendar
from shared.worktime.instants import local_instant, microseconds_of, wall_clock
from shared.worktime.limits import SECOND, Limit, LimitKind, decimal_text, seconds_text
from shared.worktime.rules import DayKind, DayPlan, WorkingDayRule
from shared.worktime.table import full_day, instants_of

if TYPE_CHECKING:
    from shared.worktime.holiday_sources import Name

_WEEKDAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_DAY_WORDS = {
    ("zh", DayKind.ORDINARY, True): "工作日",
    ("zh", DayKind.REST_WEEKDAY, False): "休息日，不计",
    ("zh", DayKind.HOLIDAY, False): "节假日，不计",
    ("zh", DayKind.MAKE_UP, True): "调休上班",
    ("zh", DayKind.OVERRIDE, True): "另行规定上班",
    ("zh", DayKind.OVERRIDE, False): "另行规定休息，不计",
    ("en", DayKind.ORDINARY, True): "working day",
    ("en", DayKind.REST_WEEKDAY, False): "rest day, does not count",
    ("en", DayKind.HOLIDAY, False): "holiday, does not count",
    ("en", DayKind.MAKE_UP, True): "make-up workday",
    ("en", DayKind.OVERRIDE, True): "worked by exception",
    ("en", DayKind.OVERRIDE, False): "off by exception, does not count",
}
_LABELS = {
    "zh": {
        "start": "开始",
        "limit": "时限",
        "due": "到期",
        "end": "结束",
        "total": "合计",
        "running": "累计",
        "day-share": "折合工作日",
        "nothing": "当日无计时",
        "around-the-clock": "连续计时",
        "guessed": "暂按法定节假日推算",
        "provisional": "注意：所涉年份的放假通知尚未录入，此结果为暂定。",
        "rule-hours": "规则：按实际工作时间累计；满一个工作日指干满当季全天工时。",
        "rule-nth": "规则：工作日时限在第 N 个工作日下班时到期。",
        "rule-continuous": "规则：紧急时限昼夜连续计算，节假日照计。",
    },
    "en": {
        "start": "Start",
        "limit": "Limit",
        "due": "Due",
        "end": "End",
        "total": "Total",
        "running": "running total",
        "day-share": "in working days",
        "nothing": "nothing counted",
        "around-the-clock": "counts around the clock",
        "guessed": "guessed from statute",
        "provisional": "Note: the official holidays of a year involved are not known yet; "
        "this answer is provisional.",
        "rule-hours": "Rule: hours worked add up; a working day is the full hours of its season.",
        "rule-nth": "Rule: a limit in working days ends at the close of the Nth working day.",
        "rule-continuous": "Rule: an urgent limit runs day and night, holidays included.",
    },
}


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """A stretch of one local date that counted.

    Attributes:
        start, end: aware, in the calendar's zone.
        counted: the time between them.
    """

    start: datetime
    end: datetime
    counted: timedelta


@dataclass(frozen=True, slots=True)
class ExplainedDay:
    """One local date between start and end, counted or not.

    Attributes:
        plan: what the calendar says of the date; None where the clock never stops.
        spans: the stretches that counted, in order.
        counted: their sum.
        share: the sum as a share of that date's full working day; None where the clock never stops.
        running: everything counted up to the end of this date.
    """

    date: date
    plan: DayPlan | None
    spans: tuple[CountedSpan, ...]
    counted: timedelta
    share: Fraction | None
    running: timedelta


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer with everything that led to it.

    Attributes:
        limit: the limit that was asked about; None for a plain duration.
        end: the due instant of a limit, or the end of the duration.
        days: every local date from start to end.
        total: the sum of all that counted.
        working_days: the same as a number of working days; None where the clock never stops.
        nth_day: whether the limit ends at the close of the Nth working day.
        provisional: some date rests on holidays that are not known yet.
    """

    start: datetime
    end: datetime
    limit: Limit | None
    days: tuple[ExplainedDay, ...]
    total: timedelta
    working_days: Fraction | None
    nth_day: bool
    provisional: bool

    def words(self, language: str = "zh") -> str:
        """The explanation as lines of text, ``zh`` or ``en``."""
        labels = _LABELS[language]
        lines = [f"{labels['start']}: {self.start.isoformat()}"]
        if self.limit is not None:
            lines.append(f"{labels['limit']}: {self.limit.words(language)}")
        lines.append(labels[self._rule()])
        lines += [_day_line(day, language) for day in self.days]
        total = f"{labels['total']}: {_clock(self.total)} ({seconds_text(self.total)} s)"
        if self.working_days is not None:
            total += f", {labels['day-share']} {decimal_text(self.working_days)}"
        lines.append(total)
        lines.append(f"{labels['end' if self.limit is None else 'due']}: {self.end.isoformat()}")
        if self.provisional:
            lines.append(labels["provisional"])
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The explanation as JSON values; durations in seconds, shares of days as exact text."""
        return {
            "start": self.start.isoformat(),
            "limit": None if self.limit is None else str(self.limit),
            "due" if self.limit is not None else "end": self.end.isoformat(),
            "rule": self._rule().removeprefix("rule-"),
            "days": [_day_json(day) for day in self.days],
            "seconds": _seconds(self.total),
            "working_days": None if self.working_days is None else decimal_text(self.working_days),
            "provisional": self.provisional,
        }

    def _rule(self) -> str:
        if self.working_days is None:
            return "rule-continuous"
        return "rule-nth" if self.nth_day else "rule-hours"


def explain_due(
    calendar: Calendar, start: datetime, limit: Limit, *, provisional: bool = False
) -> Explanation:
    """Explain when a limit runs out. Raises what ``Calendar.due`` raises."""
    due = calendar.due(start, limit, provisional=provisional)
    return _explain(calendar, start, due.instant, limit, provisional=provisional)


def explain_elapsed(
    calendar: Calendar, start: datetime, end: datetime, *, provisional: bool = False
) -> Explanation:
    """Explain the working time between two instants. Raises what ``Calendar.elapsed`` raises."""
    calendar.elapsed(start, end, provisional=provisional)
    return _explain(calendar, start, end, None, provisional=provisional)


def _explain(
    calendar: Calendar, start: datetime, end: datetime, limit: Limit | None, *, provisional: bool
) -> Explanation:
    begin, finish = microseconds_of(start), microseconds_of(end)
    continuous = limit is not None and limit.continuous
    start, end = start.astimezone(calendar.zone), end.astimezone(calendar.zone)
    days: list[ExplainedDay] = []
    running = timedelta(0)
    # A span that ends at midnight says nothing about the date that begins there.
    last = end - timedelta(microseconds=1) if finish > begin and _midnight(end) else end
    for ordinal in range(start.date().toordinal(), last.date().toordinal() + 1):
        day = _explained_day(
            calendar,
            date.fromordinal(ordinal),
            (begin, finish),
            continuous=continuous,
            provisional=provisional,
            running=running,
        )
        running = day.running
        days.append(day)
    nth_day = (
        limit is not None
        and limit.kind is LimitKind.WORKING_DAYS
        and calendar.rules.working_day is WorkingDayRule.END_OF_NTH_DAY
    )
    return Explanation(
        start=start,
        end=end,
        limit=limit,
        days=tuple(days),
        total=running,
        working_days=None
        if continuous
        else sum((day.share or Fraction(0) for day in days), start=Fraction(0)),
        nth_day=nth_day,
        provisional=any(day.plan is not None and day.plan.guessed for day in days),
    )


def _midnight(instant: datetime) -> bool:
    return (instant.hour, instant.minute, instant.second, instant.microsecond) == (0, 0, 0, 0)


def _explained_day(
    calendar: Calendar,
    day: date,
    asked: tuple[int, int],
    *,
    continuous: bool,
    provisional: bool,
    running: timedelta,
) -> ExplainedDay:
    zone, rules = calendar.zone, calendar.rules
    plan = None if continuous else calendar.plan(day, provisional=provisional)
    whole = (
        [(wall_clock(day, 0, zone), wall_clock(day, 86_400, zone))]
        if plan is None
        else instants_of(plan, plan.hours, rules)
    )
    clipped = [(max(opens, asked[0]), min(closes, asked[1])) for opens, closes in whole]
    spans = tuple(
        CountedSpan(
            local_instant(opens, zone),
            local_instant(closes, zone),
            timedelta(microseconds=closes - opens),
        )
        for opens, closes in clipped
        if opens < closes
    )
    counted = sum((span.counted for span in spans), start=timedelta(0))
    share = (
        None
        if plan is None
        else Fraction(
            counted // timedelta(microseconds=1),
            full_day(plan, instants_of(plan, plan.full_hours, rules)),
        )
    )
    return ExplainedDay(day, plan, spans, counted, share, running + counted)


def _day_words(day: ExplainedDay, language: str) -> str:
    labels = _LABELS[language]
    if day.plan is None:
        return labels["around-the-clock"]
    words = _DAY_WORDS[language, day.plan.kind, bool(day.plan.hours)]
    name: Name | None = day.plan.name
    if name is not None:
        words += f" ({name.zh if language == 'zh' else name.en})"
    return f"{words}, {labels['guessed']}" if day.plan.guessed else words


def _day_line(day: ExplainedDay, language: str) -> str:
    labels = _LABELS[language]
    line = f"{day.date} {_WEEKDAYS[language][day.date.weekday()]}  {_day_words(day, language)}"
    if day.spans:
        spans = ", ".join(_span_text(span) for span in day.spans)
        line += f"  {spans}  {_clock(day.counted)}  {labels['running']} {_clock(day.running)}"
    elif day.plan is None or day.plan.hours:
        line += f"  {labels['nothing']}"
    return line


def _span_text(span: CountedSpan) -> str:
    start, end = span.start, span.end
    ends = "24:00" if end.date() != start.date() else _time_text(end)
    return f"{_time_text(start)}-{ends}"


def _time_text(instant: datetime) -> str:
    text = instant.strftime("%H:%M")
    if instant.second or instant.microsecond:
        text = instant.time().isoformat()
    return text


def _clock(duration: timedelta) -> str:
    """Hours, minutes and seconds; hours may pass 24, since days would be read as working days."""
    seconds, rest = divmod(duration // timedelta(microseconds=1), SECOND)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{rest:06d}" if rest else text


def _seconds(duration: timedelta) -> int | float:
    whole, rest = divmod(duration, timedelta(seconds=1))
    return duration.total_seconds() if rest else whole


def _day_json(day: ExplainedDay) -> dict[str, Any]:
    plan = day.plan
    return {
        "date": day.date.isoformat(),
        "kind": "continuous" if plan is None else plan.kind.value,
        "name": None if plan is None or plan.name is None else plan.name._asdict(),
        "guessed": plan is not None and plan.guessed,
        "hours": None if plan is None else [str(span) for span in plan.hours],
        "spans": [
            {
                "start": span.start.isoformat(),
                "end": span.end.isoformat(),
                "seconds": _seconds(span.counted),
            }
            for span in day.spans
        ],
        "seconds": _seconds(day.counted),
        "share_of_day": None if day.share is None else decimal_text(day.share),
        "running_seconds": _seconds(day.running),
        "zh": _day_words(day, "zh"),
        "en": _day_words(day, "en"),
    }
