"""Tickets, their numbers and timelines in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.callers.models import Caller
from services.hotline.tickets.domain import Progress, Step, TicketState
from services.hotline.tickets.errors import TicketNotFound
from services.hotline.tickets.models import Ticket, TicketNumberDay, TicketStep
from shared.events.hotline import AppealKind, Urgency
from shared.ids import uuid7
from shared.web.paging import PageRequest, after

_DAYS: sa.Table = TicketNumberDay.__table__  # type: ignore[attr-defined]
_STEPS: sa.Table = TicketStep.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """What a list of tickets is narrowed to; None leaves it open."""

    state: TicketState | None = None
    progress: Progress | None = None
    appeal_kind: AppealKind | None = None
    urgency: Urgency | None = None
    agent: str | None = None
    caller_id: UUID | None = None
    call_id: UUID | None = None
    case_id: UUID | None = None
    number: str | None = None
    class_code: str | None = None
    recorded_from: datetime | None = None
    recorded_to: datetime | None = None


class TicketRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    @property
    def _on_sqlite(self) -> bool:
        return self.session.get_bind().dialect.name == "sqlite"

    async def get(self, ticket_id: UUID) -> Ticket:
        """The ticket of an id.

        Raises:
            TicketNotFound: there is none.
        """
        ticket = await self.session.get(Ticket, ticket_id)
        if ticket is None:
            raise TicketNotFound("There is no such ticket.")
        return ticket

    async def find_locked(self, ticket_id: UUID) -> Ticket | None:
        statement = select(Ticket).where(Ticket.id == ticket_id).with_for_update()
        return (await self.session.exec(statement)).first()

    async def of_report(self, report_id: UUID) -> Sequence[Ticket]:
        """The tickets that a report stands for, locked."""
        statement = select(Ticket).where(Ticket.root_report_id == report_id)
        return (await self.session.exec(statement.order_by(col(Ticket.id)).with_for_update())).all()

    async def of_case(self, case_id: UUID) -> Sequence[Ticket]:
        """The tickets that follow a case, locked."""
        statement = select(Ticket).where(Ticket.case_id == case_id)
        return (await self.session.exec(statement.order_by(col(Ticket.id)).with_for_update())).all()

    async def read(self, ticket_id: UUID) -> tuple[Ticket, Caller | None]:
        """A ticket with its caller.

        Raises:
            TicketNotFound: there is none.
        """
        statement = _with_caller().where(Ticket.id == ticket_id)
        found = (await self.session.exec(statement)).first()
        if found is None:
            raise TicketNotFound("There is no such ticket.")
        return found[0], found[1]

    async def page(
        self, wanted: TicketFilter, request: PageRequest
    ) -> Sequence[tuple[Ticket, Caller | None]]:
        """Tickets with their callers, newest first."""
        statement = _with_caller()
        for name in (
            "state", "progress", "appeal_kind", "urgency", "agent", "caller_id", "call_id",
            "case_id", "number", "class_code",
        ):  # fmt: skip
            value = getattr(wanted, name)
            if value is not None:
                statement = statement.where(getattr(Ticket, name) == value)
        if wanted.recorded_from is not None:
            statement = statement.where(col(Ticket.recorded_at) >= wanted.recorded_from)
        if wanted.recorded_to is not None:
            statement = statement.where(col(Ticket.recorded_at) < wanted.recorded_to)
        statement = after(statement, [Ticket.recorded_at, Ticket.id], request, descending=True)
        return (await self.session.exec(statement)).all()  # type: ignore[no-any-return]

    async def add_step(self, ticket_id: UUID, step: Step) -> None:
        """Add a line to the timeline; the same fact again adds nothing."""
        insert = sqlite.insert(_STEPS) if self._on_sqlite else postgresql.insert(_STEPS)
        statement = insert.on_conflict_do_nothing().values(
            id=uuid7(),
            ticket_id=ticket_id,
            kind=step.kind,
            at=step.at,
            source=step.source,
            unit=step.unit,
            text=step.text,
        )
        await self.session.exec(statement)

    async def steps(self, ticket_id: UUID) -> Sequence[TicketStep]:
        """The timeline, oldest first."""
        statement = (
            select(TicketStep)
            .where(TicketStep.ticket_id == ticket_id)
            .order_by(col(TicketStep.at), col(TicketStep.id))
        )
        return (await self.session.exec(statement)).all()

    async def next_sequence(self, day: str) -> int:
        """The day's next ticket number.

        On PostgreSQL a day counts from where the sequence stood when its first number was asked
        for, so that no agent waits for another one's commit; a number whose transaction is undone
        stays unused. On SQLite, where writers take turns anyway, a counter row does it.
        """
        if self._on_sqlite:
            return await self._count_up(day)
        # The column's own sequence: made with the table, by whatever made the table.
        nextval = sa.func.nextval(sa.func.pg_get_serial_sequence(_DAYS.name, "base"))
        drawn = sa.select(nextval - _DAYS.c.base).where(_DAYS.c.day == day)
        for _ in range(2):
            number = (await self.session.exec(drawn)).scalar_one_or_none()  # type: ignore[call-overload]
            if number is not None:
                return int(number)
            # Whoever begins the day at the same time waits here and then finds it begun.
            begin = postgresql.insert(_DAYS).values(day=day, last=0).on_conflict_do_nothing()
            await self.session.exec(begin)
        raise RuntimeError(f"the day {day} could not be begun")

    async def _count_up(self, day: str) -> int:
        statement = (
            sqlite.insert(_DAYS)
            .values(day=day, base=0, last=1)
            .on_conflict_do_update(index_elements=[_DAYS.c.day], set_={"last": _DAYS.c.last + 1})
            .returning(_DAYS.c.last)
        )
        return int((await self.session.exec(statement)).scalar_one())


def _with_caller() -> Any:  # SQLModel keeps the type of its SELECT to itself
    return select(Ticket, Caller).join(
        Caller, col(Caller.id) == col(Ticket.caller_id), isouter=True
    )
