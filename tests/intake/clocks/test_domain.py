"""Deadlines of intake's stages and their lights."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.clocks.domain import Light, expiry, light_at, stage_clock
from shared.pack.model import CityPack, Stage


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+08:00")


def test_ordinary_stages_stop_at_noon_and_urgent_ones_do_not(qilihe: CityPack) -> None:
    start = at("2026-06-01T11:20")
    ordinary = stage_clock(qilihe, Stage.REGISTRATION, start, urgent=False)
    urgent = stage_clock(qilihe, Stage.REGISTRATION, start, urgent=True)
    assert ordinary.due_at == at("2026-06-01T14:20")
    assert ordinary.warn_at == at("2026-06-01T14:14")
    assert urgent.due_at == at("2026-06-01T11:50")
    assert urgent.warn_at == at("2026-06-01T11:44")
    assert ordinary.due_at.tzinfo is UTC


def test_a_stage_without_limit_never_turns_red(qilihe: CityPack) -> None:
    clock = stage_clock(
        qilihe, Stage.SENDING_OUT, at("2026-06-01T10:00"), urgent=False, special=True
    )
    assert clock.due_at is None
    assert light_at(at("2036-06-01T10:00"), warn_at=clock.warn_at, due_at=None) is Light.GREEN


def test_an_ordinary_task_does_not_expire_at_night(qilihe: CityPack) -> None:
    evening = at("2026-06-01T17:00")
    assert expiry(qilihe, evening, around_the_clock=False) == at("2026-06-02T09:00")
    assert expiry(qilihe, evening, around_the_clock=True) == at("2026-06-01T18:00")


@settings(deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 5), datetime(2026, 12, 1)),  # noqa: DTZ001
    st.integers(0, 10_000),
    st.booleans(),
)
def test_a_light_only_ever_goes_from_green_over_yellow_to_red(
    qilihe: CityPack,
    start: datetime,
    minutes: int,
    urgent: bool,  # noqa: FBT001
) -> None:
    begun = start.replace(tzinfo=UTC)
    clock = stage_clock(qilihe, Stage.VERIFICATION, begun, urgent=urgent)
    assert clock.due_at is not None
    assert clock.warn_at is not None
    order = [Light.GREEN, Light.YELLOW, Light.RED]
    now = begun + timedelta(minutes=minutes)
    lights = [
        order.index(light_at(moment, warn_at=clock.warn_at, due_at=clock.due_at))
        for moment in (begun, min(now, clock.due_at), clock.due_at)
    ]
    assert lights == sorted(lights)
    assert lights[0] == 0
    assert lights[-1] == 2
