"""Moments of limits: each told once, owed when missed, told anew only at a later time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.limits.domain import Mark, Moment, Told, WatchedLimit
from shared.events.vocabulary import LimitScope

DAY = datetime(2026, 6, 1, tzinfo=UTC)
minutes = st.integers(0, 500)


def _limit(warn: int, due: int, clock: str = "dispatch:1") -> WatchedLimit:
    return WatchedLimit(
        scope=LimitScope.DISPATCH,
        clock=clock,
        assignment=0,
        holder="dispatcher",
        warn_at=DAY + timedelta(minutes=warn),
        due_at=DAY + timedelta(minutes=due),
        provisional=False,
    )


deadlines = st.tuples(minutes, minutes).map(sorted).map(lambda pair: _limit(*pair))


@given(st.lists(st.tuples(minutes, deadlines), min_size=1, max_size=12))
def test_a_moment_is_told_once_and_again_only_at_a_later_time(
    steps: list[tuple[int, WatchedLimit]],
) -> None:
    """Whatever the deadline is moved to, and whenever somebody looks."""
    told, heard = Told({}), {mark: [] for mark in Mark}
    for minute, limit in sorted(steps, key=lambda step: step[0]):
        now = DAY + timedelta(minutes=minute)
        passed = [item for item in told.to_come([limit]) if item.at <= now]
        for moment in passed:
            heard[moment.mark].append(moment.at)
        told = Told.from_json(told.settled(passed).as_json())
        assert [item for item in told.to_come([limit]) if item.at <= now] == []
        if now > limit.due_at:
            assert heard[Mark.OVERRUN], "red and nobody was told"
        next_at = told.next_at([limit])
        assert next_at is None or next_at > now
    for times in heard.values():
        assert times == sorted(set(times))


@given(st.lists(deadlines, max_size=4))
def test_what_is_owed_is_kept_and_rings_at_once(limits: list[WatchedLimit]) -> None:
    moments = [Moment(limit, mark) for limit in limits for mark in Mark]
    told = Told.from_json(Told({}).owing(moments).as_json())
    assert list(told.owed) == moments
    assert told.next_at([]) == min((item.at for item in moments), default=None)
    assert told.settled([]).owed == ()


def test_at_the_due_time_itself_all_is_in_time() -> None:
    limit = _limit(8, 10)
    warned, overrun = Told({}).to_come([limit])
    assert (warned.mark, warned.at) == (Mark.WARNED, limit.warn_at)
    assert overrun.mark is Mark.OVERRUN
    assert overrun.at > limit.due_at
