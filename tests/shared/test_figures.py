"""The figures that alarms look at, and the alarms themselves."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from shared.clock import ManualClock
from shared.db.core import execute
from shared.inbox.statements import AHEAD, PARKED, RETRY
from shared.observability import metrics
from shared.testing import ServiceUnderTest
from shared.worker import publish_figures

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def figure(name: str, service: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, {"service": service})


@pytest.mark.parametrize(
    ("held", "oldest"),
    [
        ([], 0),
        ([(RETRY, 5), (AHEAD, 90), (AHEAD, 30)], 90),
        ([(RETRY, 120), (AHEAD, 90)], 120),
        ([(PARKED, 500), (RETRY, 20)], 20),
        ([(PARKED, 500)], 0),
        ([(RETRY, -3)], 0),
    ],
)
async def test_the_oldest_waiting_event_is_told_and_parked_ones_are_told_apart(
    held: list[tuple[str, int]], oldest: float, sut: ServiceUnderTest
) -> None:
    runtime = sut.runtime
    runtime.clock = ManualClock(NOW)
    rows = [
        {
            "consumer": runtime.name,
            "event_id": uuid4(),
            "type": "toy.lamp.counted.v1",
            "aggregate": "toy.lamp",
            "subject": str(uuid4()),
            "sequence": 2,
            "body": b"{}",
            "state": state,
            "held_at": NOW - timedelta(seconds=age),
        }
        for state, age in held
    ]
    if rows:
        async with runtime.database.transaction() as session:
            await execute(session, runtime.tables.inbox_held.insert().values(rows))

    await publish_figures(runtime)

    waiting = sum(state != PARKED for state, _ in held)
    assert figure("minqing_inbox_oldest_seconds", runtime.name) == oldest
    assert figure("minqing_inbox_waiting", runtime.name) == waiting
    assert figure("minqing_inbox_parked", runtime.name) == len(held) - waiting


def test_alarms_look_at_figures_that_exist() -> None:
    known = {
        name
        for family in metrics.REGISTRY.collect()
        for name in (family.name, f"{family.name}_total", f"{family.name}_count")
    }
    asked = set(re.findall(r"\bminqing_\w+", (ROOT / "deploy/prometheus/alerts.yml").read_text()))

    assert asked
    assert asked <= known
