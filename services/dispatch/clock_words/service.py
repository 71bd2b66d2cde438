"""Turns the explained clock of a case into sentences."""

from datetime import datetime

from services.dispatch.clock_words.domain import (
    HOLDERS,
    LIGHTS,
    OUTCOMES,
    REQUESTS,
    STAGES,
    Words,
)
from services.dispatch.clock_words.schemas import ClockWords, WordsSection
from services.dispatch.clocks.domain import Light, SegmentKind
from services.dispatch.explanations.schemas import (
    CaseClockView,
    CountedDayView,
    DecisionView,
    HandlingClockView,
    SegmentView,
)
from shared.pack.model import CityPack
from shared.worktime import Limit


class ClockTeller:
    """Tells one clock in one language.

    Args:
        pack: for the names of units and the zone.
        language: `zh` or `en`.
    """

    def __init__(self, pack: CityPack, language: str) -> None:
        self._pack = pack
        self._zone = pack.calendar.zone
        self._words = Words(language)

    def tell(self, clock: CaseClockView) -> ClockWords:
        """The whole explanation, section by section."""
        say = self._words.say
        whole = [
            say(
                f"立案（起算）：{self._time(clock.total.started_at)}",
                f"Began: {self._time(clock.total.started_at)}",
            ),
            self._due(clock.total.due_at, clock.total.light),
        ]
        sections = [
            WordsSection(
                title=say(
                    f"案卷 {clock.number} 全程（截至 {self._time(clock.at)}）",
                    f"Case {clock.number}, the whole way (as of {self._time(clock.at)})",
                ),
                lines=whole,
            ),
            WordsSection(
                title=say("各环节", "Stages"),
                lines=[line for item in clock.segments for line in self._segment(item)],
            ),
            *(self._handling(item) for item in clock.clocks),
        ]
        if clock.decisions:
            sections.append(
                WordsSection(
                    title=say(
                        "申请与决定（决定前责任单位继续计时，逾期决定记中心超时）",
                        "Requests and decisions (the unit's clock ran until each decision; a late"
                        " one is the centre's overrun)",
                    ),
                    lines=[self._decision(item) for item in clock.decisions],
                )
            )
        return ClockWords(
            id=clock.id,
            number=clock.number,
            language=self._words.language,
            zone=str(self._zone),
            sections=sections,
        )

    def _segment(self, item: SegmentView) -> list[str]:
        say, length = self._words.say, self._words.length(item.seconds)
        stage, holder = self._words.pick(STAGES[item.kind]), self._holder(item.holder)
        until = self._time(item.ended_at) if item.ended_at else say("至今", "now")
        begun = self._time(item.started_at)
        line = say(
            f"第 {item.number} 段 {stage}（{holder}）：{begun} 至 {until}，计 {length}。",
            f"Segment {item.number}, {stage} ({holder}): {begun} to {until}, {length}.",
        )
        if item.due_at is not None:
            line += say("", " ") + self._due(item.due_at, item.light)
        # A pause may last a year, and nothing in it counts.
        return [line] if item.kind is SegmentKind.DEFERRAL else [line, *self._days(item.days)]

    def _handling(self, item: HandlingClockView) -> WordsSection:
        say, words = self._words.say, self._words
        unit, limit = self._holder(item.unit), words.limit(Limit.parse(item.limit))
        allowed = words.length(item.limit_seconds)
        lines: list[str] = []
        for counted in item.counted:
            rule = words.pick((counted.rule_words.zh, counted.rule_words.en))
            lines.append(
                say(
                    f"第 {counted.segment} 段：{rule}，计 {words.length(counted.seconds)}。",
                    f"Segment {counted.segment}: {rule}; {words.length(counted.seconds)}.",
                )
            )
            lines += self._days(counted.days)
        total = " + ".join(words.length(counted.seconds) for counted in item.counted)
        used = words.length(item.used_seconds)
        lines.append(say(f"合计：{total or used} = {used}。", f"Sum: {total or used} = {used}."))
        lines.append(self._left(item))
        if item.paused:
            lines.append(say("缓办中，暂停计时。", "Put off: the clock stands still."))
        lines.append(self._due(item.due_at, item.light))
        if item.provisional:
            lines.append(
                say(
                    "到期时间依据尚未公布的节假日安排，暂定。",
                    "The due time rests on holidays that are not official yet.",
                )
            )
        title = say(
            f"第 {item.assignment} 次派遣：{unit}，时限 {limit}（{allowed}）",
            f"Dispatch {item.assignment}: {unit}, limit {limit} ({allowed})",
        )
        return WordsSection(title=title, lines=lines)

    def _left(self, item: HandlingClockView) -> str:
        say, left = self._words.say, item.limit_seconds - item.used_seconds
        length = self._words.length(abs(left))
        if left < 0:
            return say(f"超过时限 {length}。", f"Over the limit by {length}.")
        return say(f"时限尚余 {length}。", f"Left of the limit: {length}.")

    def _decision(self, item: DecisionView) -> str:
        say, words = self._words.say, self._words
        asked = self._time(item.asked_at)
        outcome, length = words.pick(OUTCOMES[item.state]), words.length(item.seconds)
        what = words.pick(REQUESTS[item.kind])
        when = self._time(item.decided_at) if item.decided_at else say("至今", "until now")
        line = say(
            f"{what}：{asked} 提出，{when} {outcome}，历时 {length}。",
            f"{what}: asked {asked}, {outcome} {when}, {length}.",
        )
        if item.due_at is None:
            return line
        line += say("", " ") + self._due(item.due_at, item.light)
        if item.light is Light.RED:
            line += say("中心超时。", " The centre's overrun.")
        return line

    def _days(self, days: list[CountedDayView]) -> list[str]:
        lines = []
        for day in days:
            line = f"  {day.date} {self._words.pick((day.zh, day.en))}"
            if day.spans:
                spans = self._words.say("、", ", ").join(day.spans)
                line += f" {spans} {self._words.length(int(day.seconds))}"
            lines.append(line)
        return lines

    def _due(self, due_at: datetime | None, light: Light) -> str:
        say, shown = self._words.say, self._words.pick(LIGHTS[light])
        if due_at is None:
            return say(f"无到期时间，{shown}。", f"No due time, {shown}.")
        return say(f"到期 {self._time(due_at)}，{shown}。", f"Due {self._time(due_at)}, {shown}.")

    def _holder(self, holder: str) -> str:
        if holder in HOLDERS:
            return self._words.pick(HOLDERS[holder])
        unit = self._pack.units.get(holder)
        return unit.name.in_language(self._words.language) if unit else holder

    def _time(self, instant: datetime) -> str:
        """Local time to the second, without seconds that are none."""
        local = instant.astimezone(self._zone)
        return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")
