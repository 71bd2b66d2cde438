"""Records are written with their events, folded as the facts are, and made anew from the events."""

from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from rich.progress import Progress

from services.assessment.assignments.service import fold_recorded
from services.assessment.events.repository import EventStore
from services.assessment.facts.domain import AssignmentFacts
from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow
from services.assessment.facts.service import fold_pending, rebuild_records
from services.assessment.records.domain import (
    cohort_bounds,
    cohort_of,
    instant,
    microseconds,
    record_of,
)
from services.assessment.records.models import RecordBlock, RecordedUnit
from services.assessment.records.repository import RecordReader, RecordStore
from services.commands.rebuild import rebuild_all
from shared.bus.transport import Delivery
from shared.testing import ServiceUnderTest
from tests.assessment.lives import Life

ROWS = AssignmentFactsRow.__table__  # type: ignore[attr-defined]
BLOCKS = RecordBlock.__table__  # type: ignore[attr-defined]
NAMES = [*AssignmentFacts.__dataclass_fields__]


async def stored_facts(sut: ServiceUnderTest) -> list[tuple[Any, ...]]:
    """The rows that scorecards are read from."""
    columns = [ROWS.c.case_id, *(ROWS.c[name] for name in NAMES)]
    async with sut.runtime.database.reading() as session:
        statement = sa.select(*columns).order_by(ROWS.c.case_id, ROWS.c.ordinal)
        return [tuple(row) for row in await (await session.connection()).execute(statement)]


def folded_records(sut: ServiceUnderTest, processes: int = 1) -> list[tuple[Any, ...]]:
    """The records folded, in the form of those rows."""
    folded = fold_recorded(sut.runtime.database.url, processes=processes)
    rows = []
    for place in range(len(folded.columns)):
        values: list[Any] = [folded.columns.case_id(place)]
        for name in NAMES:
            value = getattr(folded.columns, name)[place].item()
            if name == "unit":
                value = folded.units[value]
            elif name == "limit_seconds":
                value = None if value >= 2**61 else value
            values.append(instant(value) if name.endswith("_at") else value)
        rows.append(tuple(values))
    return sorted(rows, key=lambda row: (row[0], row[1]))


async def live(sut: ServiceUnderTest, teller: Any, amount: int = 40) -> list[Life]:
    """Random lives, told in a random order and some of it twice, in batches."""
    chance = Random(amount)  # noqa: S311 - chance, not a secret
    lives = [Life(teller(), chance).live(chance.randint(0, 20)) for _ in range(amount)]
    envelopes = [item for life in lives for item in life.teller.envelopes]
    again = [item.model_copy(update={"id": uuid4()}) for item in chance.sample(envelopes, 50)]
    mixed = chance.sample([*envelopes, *again], len(envelopes) + len(again))
    for first in range(0, len(mixed), 100):
        bodies = [Delivery(body=item.to_bytes()) for item in mixed[first : first + 100]]
        await sut.inbox.receive(bodies)
    await fold_pending(sut.runtime)
    return lives


async def empty(sut: ServiceUnderTest, *models: Any) -> None:
    async with sut.runtime.database.transaction() as session:
        for model in models:
            await (await session.connection()).execute(sa.delete(model.__table__))


async def test_records_written_with_their_events_fold_to_the_facts(
    sut: ServiceUnderTest, teller: Any
) -> None:
    lives = await live(sut, teller)
    facts = await stored_facts(sut)

    assert folded_records(sut) == facts
    assert len(facts) == sum(len(life.lines) for life in lives)


async def test_a_rebuild_gives_what_was_there_live(sut: ServiceUnderTest, teller: Any) -> None:
    await live(sut, teller)
    facts = await stored_facts(sut)
    await empty(sut, RecordBlock, RecordedUnit, AssignmentFactsRow, CaseFactsRow)

    with Progress(disable=True) as progress:
        await rebuild_all(sut.runtime, progress)

    assert await stored_facts(sut) == facts
    assert folded_records(sut) == facts


async def test_a_rebuild_of_what_is_whole_changes_nothing(
    sut: ServiceUnderTest, teller: Any
) -> None:
    lives = await live(sut, teller)
    facts = await stored_facts(sut)

    with Progress(disable=True) as progress:
        await rebuild_all(sut.runtime, progress)
        await rebuild_all(sut.runtime, progress)

    assert await stored_facts(sut) == facts
    assert folded_records(sut) == facts
    told = sum(amount for _, amount in RecordReader(sut.runtime.database.url).cohorts())
    assert told == await _events_to_record(sut, lives), "each event is recorded once"


async def test_a_broken_record_is_mended_by_a_rebuild_of_its_cohort(
    sut: ServiceUnderTest, teller: Any
) -> None:
    life = teller().settled("water")
    await sut.inbox.receive([Delivery(body=item.to_bytes()) for item in life.envelopes])
    await fold_pending(sut.runtime)
    async with sut.runtime.database.transaction() as session:
        broken = sa.update(BLOCKS).values(amount=1, records=b"\0" * 64)
        await (await session.connection()).execute(broken)
    assert folded_records(sut) != await stored_facts(sut)

    assert await rebuild_records(sut.runtime, cohort_of(life.case_id)) == 4

    assert folded_records(sut) == await stored_facts(sut)


async def test_what_arrives_during_a_rebuild_stays(sut: ServiceUnderTest, teller: Any) -> None:
    """The rebuild neither sees an event that is not committed yet, nor takes its record away."""
    if sut.runtime.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    life = teller().registered().opened().dispatched("water")
    await sut.inbox.receive([Delivery(body=item.to_bytes()) for item in life.envelopes])
    before = len(life.envelopes)
    arriving = life.handled(900).envelopes[before:]

    async with sut.runtime.database.transaction() as session:
        await EventStore(session).append(arriving)
        await RecordStore(session).append(arriving)
        await rebuild_records(sut.runtime, cohort_of(life.case_id))
    await fold_pending(sut.runtime)

    assert folded_records(sut) == await stored_facts(sut)
    assert [row[1 + NAMES.index("used_seconds")] for row in await stored_facts(sut)] == [900]


async def test_two_processes_fold_what_one_does_and_leave_out_what_is_due_elsewhere(
    sut: ServiceUnderTest, teller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.assessment.assignments.service.RECORDS_A_FOLD", 30)
    await live(sut, teller, 20)
    facts = await stored_facts(sut)

    assert folded_records(sut, processes=2) == facts

    middle = sorted(row[NAMES.index("due_at") + 1] for row in facts)[len(facts) // 2]
    url, due = sut.runtime.database.url, microseconds(middle)
    early = fold_recorded(url, due_until=due).columns.due_at
    late = fold_recorded(url, due_from=due).columns.due_at
    assert len(early) + len(late) == len(facts)
    assert max(early) < due <= min(late)


def test_a_cohort_holds_the_cases_of_some_days(teller: Any) -> None:
    one, other = teller().case_id, UUID(int=0)

    first, last = cohort_bounds(cohort_of(one))

    assert first <= one <= last
    assert cohort_of(first) == cohort_of(last) == cohort_of(one)
    assert cohort_of(other) == 0
    assert cohort_of(UUID(int=2**128 - 1)) == 2**18 - 1


async def _events_to_record(sut: ServiceUnderTest, lives: list[Life]) -> int:
    async with sut.runtime.database.reading() as session:
        stored = await EventStore(session).of_cases([life.teller.case_id for life in lives])
    made = [
        record_of(item.event, case_id=case_id, sequence=item.sequence, at=item.at)
        for case_id, events in stored.items()
        for item in events
    ]
    return sum(record is not None for record in made)
