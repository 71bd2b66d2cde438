"""Numbers of reports and cases: daily, unique, without a row that all wait for."""

import asyncio
import contextlib
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.registration.domain import case_number, report_number
from services.intake.registration.models import CaseNumberDay, ReportNumberDay
from shared.db.database import Database, DatabaseUnavailable
from shared.db.pipeline import Statement, together
from shared.pack.model import CityPack
from shared.service import Runtime

BLOCK = 100
"""Numbers fetched in one go; what a process has not used when it ends is a gap."""

REFILL_AT = 25
"""So few are left when the next ones are fetched."""


@dataclass
class _Block:
    day: str
    base: int
    values: deque[int] = field(default_factory=deque)


class Numbers:
    """Hands out numbers; one per running service, because it remembers a block of them.

    On PostgreSQL a day counts from where the sequence stood when its first number was asked for, so
    that no caller waits for another one's commit. A number whose transaction is undone is a gap.
    On SQLite, where writers take turns anyway, a counter row does it without gaps.
    """

    def __init__(
        self, pack: CityPack, *, is_sqlite: bool, database: Database | None = None
    ) -> None:
        self._pack = pack
        self._zone = ZoneInfo(pack.city.zone)
        self._is_sqlite = is_sqlite
        self._database = database
        self._blocks: dict[str, _Block] = {}
        self._refills: dict[str, asyncio.Task[None]] = {}
        # One for each kind of number: whoever begins a day keeps its row locked until the commit,
        # and may need the other kind before that.
        self._fetching: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    def of(cls, runtime: Runtime) -> "Numbers":
        numbers: Numbers | None = runtime.extras.get("numbers")
        if numbers is None:
            numbers = cls(
                runtime.pack, is_sqlite=runtime.database.is_sqlite, database=runtime.database
            )
            runtime.extras["numbers"] = numbers
        return numbers

    async def next_report_number(self, session: AsyncSession, at: datetime) -> str:
        day = self._day(at)
        return report_number(day, await self._next(session, ReportNumberDay, day))

    async def next_case_number(self, session: AsyncSession, at: datetime) -> str:
        day = self._day(at)
        sequence = await self._next(session, CaseNumberDay, day)
        return case_number(self._pack.city.code, day, sequence)

    def _day(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%Y%m%d")

    async def _next(
        self, session: AsyncSession, model: type[ReportNumberDay | CaseNumberDay], day: str
    ) -> int:
        table: sa.Table = model.__table__  # type: ignore[union-attr]
        if self._is_sqlite:
            return await _count_up(session, table, day)
        block = self._filled(table, day)
        if block is None:
            # One fetches, the others wait for its block: else each would fetch one of its own.
            async with self._fetching[table.name]:
                block = self._filled(table, day) or await self._fetch(session, table, day)
                return block.values.popleft() - block.base
        if len(block.values) == REFILL_AT:
            self._begin_refill(table, block)
        return block.values.popleft() - block.base

    def _begin_refill(self, table: sa.Table, block: _Block) -> None:
        """Fetch more before the block is used up, so that nobody waits for it."""
        under_way = self._refills.get(table.name)
        if self._database is not None and (under_way is None or under_way.done()):
            refill = self._refill(self._database, table, block)
            self._refills[table.name] = asyncio.create_task(refill)

    async def _refill(self, database: Database, table: sa.Table, block: _Block) -> None:
        # Without it, whoever finds the block empty fetches the next one and says what is wrong.
        with contextlib.suppress(DatabaseUnavailable):
            (rows,) = await database.run((_next_values(table), [{}]))
            block.values.extend(value for (value,) in rows)

    def _filled(self, table: sa.Table, day: str) -> _Block | None:
        block = self._blocks.get(table.name)
        return block if block is not None and block.day == day and block.values else None

    async def _fetch(self, session: AsyncSession, table: sa.Table, day: str) -> _Block:
        """A fresh block; kept for others unless this transaction itself has begun the day."""
        known = self._blocks.get(table.name)
        base, certain = (
            (known.base, True)
            if known is not None and known.day == day
            else await _base(session, table, day)
        )
        (rows,) = await together(session, (_next_values(table), [{}]))
        values = [value for (value,) in rows]
        block = _Block(day, base, deque(values))
        if certain:
            self._blocks[table.name] = block
        return block


@cache
def _next_values(table: sa.Table) -> Statement:
    # The column's own sequence: made with the table, by whatever made the table.
    nextval = sa.func.nextval(sa.func.pg_get_serial_sequence(table.name, "base"))
    return Statement(
        sa.select(nextval).select_from(sa.func.generate_series(1, BLOCK).table_valued("n"))
    )


async def _count_up(session: AsyncSession, table: sa.Table, day: str) -> int:
    statement = (
        sqlite.insert(table)
        .values(day=day, base=0, last=1)
        .on_conflict_do_update(index_elements=[table.c.day], set_={"last": table.c.last + 1})
        .returning(table.c.last)
    )
    return int((await session.exec(statement)).scalar_one())


async def _base(session: AsyncSession, table: sa.Table, day: str) -> tuple[int, bool]:
    """Where the day begins, and whether that is committed already.

    An uncommitted beginning must not be remembered: if it is undone, the next caller begins the day
    anew at a later value, and numbers counted from both would meet.
    """
    begun: set[Any] = session.info.setdefault("number_days_begun", set())
    found = (
        await session.exec(sa.select(table.c.base).where(table.c.day == day))  # type: ignore[call-overload]
    ).scalar_one_or_none()
    if found is not None:
        return int(found), (table.name, day) not in begun
    statement = (
        postgresql.insert(table)
        .values(day=day, last=0)
        .on_conflict_do_nothing()
        .returning(table.c.base)
    )
    inserted = (await session.exec(statement)).scalar_one_or_none()
    if inserted is not None:
        begun.add((table.name, day))
        return int(inserted), False
    return await _base(session, table, day)
