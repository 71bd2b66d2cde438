"""What scores are computed from is read whole, the same from both engines."""

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assessment.facts.service import fold_pending
from services.assessment.periods.domain import parse_period
from services.assessment.scoring.domain import UNLIMITED, Standing, microseconds
from services.assessment.scoring.repository import (
    ASSIGNMENTS,
    SPAN_OF_A_READING,
    AssignmentReader,
    facts_of_units,
    parts_of,
)
from shared.testing import ServiceUnderTest
from tests.assessment.lives import Life

MAY = parse_period("2026-05", ZoneInfo("Asia/Shanghai"))
YEAR = parse_period("2026", ZoneInfo("Asia/Shanghai"))


def expected(life: Life) -> list[tuple[Any, ...]]:
    """The lines of a life that are due in May, as columns have them."""
    return [
        (
            life.teller.case_id,
            line["ordinal"],
            line["unit"],
            microseconds(line["due_at"]),
            UNLIMITED if line["limit_seconds"] is None else line["limit_seconds"],
            line["used_seconds"],
            microseconds(line["closed_at"]),
            line["extension_seconds"],
            microseconds(line["extension_granted_at"]),
            line["deferral_seconds"],
            microseconds(line["deferral_granted_at"]),
            microseconds(line["second_dispatch_at"]),
            line["dispatches"],
            line["returned_to_same"],
            line["returned_to_other"],
            line["returns_refused"],
            line["feedback_refused"],
            _standing(line),
        )
        for line in life.lines
        if line["due_at"] in MAY
    ]


def _standing(line: dict[str, Any]) -> Standing:
    if line["voided"]:
        return Standing.VOIDED
    return Standing.AWAITING_DISPATCH if line["awaiting_dispatch"] else Standing.COUNTS


async def test_the_columns_of_a_period_are_the_facts_of_its_assignments(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    chance = Random(3)  # noqa: S311 - chance, not a secret
    lives = [Life(teller(), chance).live(chance.randint(0, 20)) for _ in range(40)]
    await tell(*[life.teller for life in lives])
    await fold_pending(sut.runtime)

    async with sut.runtime.database.reading() as session:
        every = await AssignmentReader(session).due_in(MAY)
        water = await AssignmentReader(session).due_in(MAY, "water")
        nothing = await AssignmentReader(session).due_in(MAY, "nobody")

    lines = sorted(line for life in lives for line in expected(life))
    assert rows(every) == lines
    assert any(line[4] == UNLIMITED for line in lines)
    assert rows(water) == [line for line in lines if line[2] == "water"]
    assert (len(nothing.columns), nothing.units) == (0, [])


async def test_a_unit_that_comes_up_between_two_statements_is_not_taken_for_another(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    due_at = MAY.start
    await tell(*[teller().settled(unit, due_at=due_at) for unit in ("post", "water", "water")])
    await fold_pending(sut.runtime)

    async with sut.runtime.database.reading() as session:
        connection = await session.connection()
        if connection.dialect.name != "postgresql":
            pytest.skip("one statement reads everything")
        early = await facts_of_units(connection, parts_of(MAY), ["post"])
        late = await facts_of_units(connection, parts_of(MAY), ["post", "water"])

    assert early is None
    assert late is not None
    assert sorted(late.columns.unit.tolist()) == [0, 1, 1]


async def test_every_assignment_of_a_year_is_read_once_with_the_first_and_the_last(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    moment = timedelta(microseconds=1)
    inside = [YEAR.start, *(YEAR.start + timedelta(days=days) for days in range(1, 365, 13))]
    inside += [YEAR.start + SPAN_OF_A_READING * n - moment for n in range(1, 12)]
    inside += [YEAR.start + SPAN_OF_A_READING * n for n in range(1, 12)]
    inside.append(YEAR.end - moment)
    due_times = [YEAR.start - moment, *inside, YEAR.end]
    await tell(*[teller().settled("water", due_at=due_at) for due_at in due_times])
    await fold_pending(sut.runtime)

    async with sut.runtime.database.reading() as session:
        facts = await AssignmentReader(session).due_in(YEAR)

    assert sorted(facts.columns.due_at.tolist()) == sorted(map(microseconds, inside))


async def test_a_case_that_moves_to_another_month_while_a_year_is_read_is_there_once(
    sut: ServiceUnderTest, tell: Any, teller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moved to the last part after the first part was read, and the other way round."""
    if sut.runtime.database.is_sqlite:
        pytest.skip("one statement reads everything")
    early, late = YEAR.start + timedelta(days=3), YEAR.end - timedelta(days=3)
    stories = [teller().settled("water", due_at=due_at) for due_at in (early, late)]
    await tell(*stories)
    await fold_pending(sut.runtime)
    stream, swapped = AsyncConnection.stream, []

    def swapping(connection: AsyncConnection, statement: Any) -> Any:
        return _Swapping(stream(connection, statement))

    class _Swapping:
        def __init__(self, rows: Any) -> None:
            self._rows = rows

        async def __aenter__(self) -> Any:
            return self._each(await self._rows.__aenter__())

        async def __aexit__(self, *error: object) -> None:
            await self._rows.__aexit__(*error)

        async def _each(self, rows: Any) -> Any:
            async for row in rows:
                yield row
                if not swapped:
                    swapped.append(True)
                    await _swap(sut, [story.case_id for story in stories], early, late)

    monkeypatch.setattr(AsyncConnection, "stream", swapping)
    async with sut.runtime.database.reading() as session:
        facts = await AssignmentReader(session).due_in(YEAR)
    monkeypatch.undo()

    assert swapped
    assert sorted(facts.case_ids) == sorted(story.case_id for story in stories)


async def _swap(sut: ServiceUnderTest, case_ids: list[UUID], early: Any, late: Any) -> None:
    line = ASSIGNMENTS.c
    async with sut.runtime.database.transaction() as session:
        connection = await session.connection()
        for case_id, due_at in zip(case_ids, (late, early), strict=True):
            statement = sa.update(ASSIGNMENTS).where(line.case_id == case_id)
            await connection.execute(statement.values(due_at=due_at))


def rows(facts: Any) -> list[tuple[Any, ...]]:
    columns = facts.columns
    names = [name for name in columns.__dataclass_fields__ if name not in {"case", "unit"}]
    values = {name: getattr(columns, name).tolist() for name in names}
    ids = [case.ljust(16, b"\0") for case in columns.case.tolist()]
    assert ids == [case_id.bytes for case_id in facts.case_ids]
    return sorted(
        (
            case_id,
            values["ordinal"][place],
            facts.units[columns.unit[place]],
            *(values[name][place] for name in names if name != "ordinal"),
        )
        for place, case_id in enumerate(facts.case_ids)
    )
