"""Reads assignments as columns: those of a period, of all units or of one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.assignments.repository import Conditions, whole_columns
from services.assessment.facts.models import AssignmentFactsRow
from services.assessment.facts.repository import table_of
from services.assessment.periods.domain import Period
from services.assessment.scoring.domain import (
    NEVER,
    UNLIMITED,
    Columns,
    Integers,
    PeriodFacts,
    Standing,
    microseconds,
)

ASSIGNMENTS = table_of(AssignmentFactsRow)

_INSTANTS = (
    "due_at",
    "closed_at",
    "extension_granted_at",
    "deferral_granted_at",
    "second_dispatch_at",
)
_NUMBERS = (
    "ordinal",
    "used_seconds",
    "extension_seconds",
    "deferral_seconds",
    "dispatches",
    "returned_to_same",
    "returned_to_other",
    "returns_refused",
    "feedback_refused",
)
_SERVERS_EPOCH = microseconds(datetime(2000, 1, 1, tzinfo=UTC))
SPAN_OF_A_READING = timedelta(days=31)
"""So much of a period is read at a time: of a year a twelfth, which a statement's time is for."""

_UNKNOWN = 0
"""In place of the number of a unit, which begins with 1 in the database."""

_READ = ("case_id", "unit", "limit_seconds", "voided", "awaiting_dispatch", *_INSTANTS, *_NUMBERS)


class AssignmentReader:
    """The facts of assignments, a whole period at a time."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def due_in(self, period: Period, unit: str | None = None) -> PeriodFacts:
        """Those whose due time lies in the period; of one unit if it is given."""
        line = ASSIGNMENTS.c
        connection = await self._session.connection()
        if connection.dialect.name == "postgresql":
            return await _facts_in_columns(connection, parts_of(period, unit))
        statement = sa.select(*(line[name] for name in _READ)).where(
            *_due_between(period.start, period.end, unit)
        )
        return facts_of((await connection.execute(statement)).all())


def parts_of(period: Period, unit: str | None = None) -> list[Conditions]:
    """What is read at a time of the assignments that are due in a period."""
    parts, start = [], period.start
    while start < period.end:
        end = min(start + SPAN_OF_A_READING, period.end)
        parts.append(_due_between(start, end, unit))
        start = end
    return parts


def _due_between(start: datetime, end: datetime, unit: str | None) -> Conditions:
    line = ASSIGNMENTS.c
    of_unit = [] if unit is None else [line.unit == unit]
    return [line.due_at >= start, line.due_at < end, *of_unit]


async def _facts_in_columns(
    connection: AsyncConnection, parts: Sequence[Conditions]
) -> PeriodFacts:
    """The same facts as `facts_of` makes of rows, without making the rows."""
    while True:
        found: set[str] = set()
        for part in parts:
            distinct = sa.select(ASSIGNMENTS.c.unit).where(*part).distinct()
            found.update((await connection.execute(distinct)).scalars())
        units = sorted(found)
        facts = await facts_of_units(connection, parts, units)
        if facts is not None:
            return facts


async def facts_of_units(
    connection: AsyncConnection, parts: Sequence[Conditions], units: list[str]
) -> PeriodFacts | None:
    """The facts if all of them are of these units; None if there is another unit by now.

    The units are read before the facts, and between two statements others may write.
    """
    line = ASSIGNMENTS.c
    known = sa.func.array_position(sa.cast(units, ARRAY(sa.Text)), sa.cast(line.unit, sa.Text))
    never: sa.ColumnElement[Any] = sa.literal_column("'infinity'::timestamptz")
    columns: dict[str, sa.ColumnElement[Any]] = {
        "case_id": line.case_id,
        "unit": sa.func.coalesce(known, _UNKNOWN),
        "limit_seconds": sa.func.coalesce(line.limit_seconds, -1),
        "voided": sa.cast(line.voided, sa.Integer),
        "awaiting_dispatch": sa.cast(line.awaiting_dispatch, sa.Integer),
        **{name: sa.func.coalesce(line[name], never) for name in _INSTANTS},
        **{name: line[name] for name in _NUMBERS},
    }
    forms = dict.fromkeys(columns, ">i4") | dict.fromkeys(_INSTANTS, ">i8") | {"case_id": "S16"}
    read = await whole_columns(connection, columns, forms, parts)
    if (read["unit"] == _UNKNOWN).any():
        return None
    limits = read["limit_seconds"].astype(np.int64)
    cases = read["case_id"]
    return PeriodFacts(
        Columns(
            unit=_whole(read["unit"]) - 1,
            case=cases,
            limit_seconds=np.where(limits < 0, UNLIMITED, limits),
            standing=_standing(read["voided"], read["awaiting_dispatch"]),
            **{name: _since_1970(read[name]) for name in _INSTANTS},
            **{name: _whole(read[name]) for name in _NUMBERS},
        ),
        units,
        [UUID(bytes=case) for case in cases.view("V16").tolist()],
    )


def _since_1970(sent: npt.NDArray[Any]) -> Integers:
    """Instants as the server sends them, in microseconds since 2000; its infinity is `NEVER`."""
    moments = sent.astype(np.int64)
    return np.where(moments == NEVER, NEVER, moments + _SERVERS_EPOCH)


def facts_of(rows: Sequence[Any]) -> PeriodFacts:
    """Rows of assignments as columns."""
    values = zip(*rows, strict=True) if rows else (() for _ in _READ)
    read: dict[str, Sequence[Any]] = dict(zip(_READ, values, strict=True))
    units = sorted(set(read["unit"]))
    number_of = {unit: number for number, unit in enumerate(units)}
    limits = [UNLIMITED if limit is None else limit for limit in read["limit_seconds"]]
    return PeriodFacts(
        Columns(
            unit=_whole([number_of[unit] for unit in read["unit"]]),
            case=np.asarray([case_id.bytes for case_id in read["case_id"]], dtype="S16"),
            limit_seconds=_whole(limits),
            standing=_standing(read["voided"], read["awaiting_dispatch"]),
            **{name: _whole([microseconds(at) for at in read[name]]) for name in _INSTANTS},
            **{name: _whole(read[name]) for name in _NUMBERS},
        ),
        units,
        list(read["case_id"]),
    )


def _whole(values: Sequence[int] | npt.NDArray[Any]) -> Integers:
    return np.asarray(values, dtype=np.int64)


def _standing(
    voided: Sequence[bool] | npt.NDArray[Any], awaiting: Sequence[bool] | npt.NDArray[Any]
) -> Integers:
    waiting = np.where(np.asarray(awaiting, dtype=bool), Standing.AWAITING_DISPATCH, 0)
    return np.where(np.asarray(voided, dtype=bool), Standing.VOIDED, waiting).astype(np.int8)
