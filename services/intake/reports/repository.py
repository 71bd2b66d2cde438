"""Finding and storing reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.clocks.domain import Light
from services.intake.reports.domain import OPEN_STATES, ReportState
from services.intake.reports.errors import ReportNotFound
from services.intake.reports.models import AddressCount, Report, ReporterContact
from shared.db.pipeline import Statement, together
from shared.events.vocabulary import ClassRef, Source
from shared.web.paging import PageRequest, after

TABLE: sa.Table = Report.__table__  # type: ignore[attr-defined]
_INSERT_ONCE = {
    True: sqlite.insert(TABLE).on_conflict_do_nothing().returning(TABLE.c.id),
    False: postgresql.insert(TABLE).on_conflict_do_nothing().returning(TABLE.c.id),
}


_OF_CASE = TABLE.c.case_id == sa.bindparam("of_case", type_=sa.Uuid())
_FOLLOWED = {
    "case_state": sa.bindparam("reached", type_=TABLE.c.case_state.type),
    "case_changed_at": sa.bindparam("reached_at", type_=TABLE.c.case_changed_at.type),
}
_FOLLOW = Statement(sa.update(TABLE).where(_OF_CASE).values(_FOLLOWED))
_CONCLUDE = Statement(
    sa.update(TABLE)
    .where(_OF_CASE)
    .values(_FOLLOWED | {"conclusion": sa.bindparam("concluded", type_=TABLE.c.conclusion.type)})
)
_PHOTOGRAPHS = Statement(
    sa.select(TABLE.c.media).where(_OF_CASE, TABLE.c.merged_into.is_(None)).limit(1)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFilter:
    """What a list is to show; None leaves open.

    Attributes:
        since, until: of the receipt, the second not included.
        now: decides the lights.
    """

    states: Sequence[ReportState] = ()
    source: Source | None = None
    grid: str | None = None
    class_ref: ClassRef | None = None
    urgent: bool | None = None
    emergency: bool | None = None
    needs_place: bool | None = None
    reporter_id: str | None = None
    case_id: UUID | None = None
    merged_into: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    light: Light | None = None
    now: datetime


async def insert_once(session: AsyncSession, report: Report) -> bool:
    """Store a new report in one statement; False if its source has sent it before."""
    statement = _INSERT_ONCE[_is_sqlite(session)]
    inserted = await session.exec(statement, params=report.model_dump())
    return inserted.first() is not None


async def load(session: AsyncSession, report_id: UUID) -> Report:
    """The report of an id.

    Raises:
        ReportNotFound: there is none.
    """
    report = await session.get(Report, report_id)
    if report is None:
        raise ReportNotFound("There is no such report.")
    return report


async def sent_before(
    session: AsyncSession,
    *,
    client_key: str | None = None,
    external_key: str | None = None,
    ticket_id: UUID | None = None,
) -> Report | None:
    """The report stored under one of its source's own names for it."""
    names = [
        column == value
        for column, value in (
            (col(Report.client_key), client_key),
            (col(Report.external_key), external_key),
            (col(Report.ticket_id), ticket_id),
        )
        if value is not None
    ]
    if not names:
        return None
    return (await session.exec(select(Report).where(sa.or_(*names)))).first()


async def by_number(session: AsyncSession, number: str) -> Report | None:
    return (await session.exec(select(Report).where(Report.number == number))).first()


async def note_case_state(
    session: AsyncSession, case_id: UUID, state: str, at: datetime, conclusion: str | None
) -> None:
    """Write where a case stands on every report of it; the case's own journal is in its file."""
    values = {"of_case": case_id, "reached": state, "reached_at": at}
    if conclusion is None:
        await together(session, (_FOLLOW, [values]))
    else:
        await together(session, (_CONCLUDE, [{**values, "concluded": conclusion}]))


async def photographs_of_case(session: AsyncSession, case_id: UUID) -> list[str]:
    """Those of the report that became the case."""
    (rows,) = await together(session, (_PHOTOGRAPHS, [{"of_case": case_id}]))
    return list(rows[0][0]) if rows else []


async def merged_into(session: AsyncSession, report_id: UUID) -> Sequence[Report]:
    statement = select(Report).where(Report.merged_into == report_id).order_by(col(Report.id))
    return (await session.exec(statement)).all()


async def list_reports(
    session: AsyncSession, wanted: ReportFilter, page: PageRequest
) -> Sequence[Report]:
    """Newest first, one more than a page."""
    statement = after(
        select(Report).where(*_conditions(wanted)), [col(Report.id)], page, descending=True
    )
    found: Sequence[Report] = (await session.exec(statement)).all()
    return found


def _conditions(wanted: ReportFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.states:
        conditions.append(col(Report.state).in_(wanted.states))
    for column, value in (
        (col(Report.source), wanted.source),
        (col(Report.grid), wanted.grid),
        (col(Report.urgent), wanted.urgent),
        (col(Report.emergency), wanted.emergency),
        (col(Report.needs_place), wanted.needs_place),
        (col(Report.reporter_id), wanted.reporter_id),
        (col(Report.case_id), wanted.case_id),
        (col(Report.merged_into), wanted.merged_into),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.class_ref is not None:
        conditions += same_class(wanted.class_ref)
    if wanted.since is not None:
        conditions.append(col(Report.received_at) >= wanted.since)
    if wanted.until is not None:
        conditions.append(col(Report.received_at) < wanted.until)
    if wanted.light is not None:
        conditions += _with_light(wanted.light, wanted.now)
    return conditions


def same_class(ref: ClassRef) -> list[Any]:
    return [
        col(Report.class_code) == ref.code,
        col(Report.class_kind) == ref.kind,
        col(Report.class_scheme) == ref.scheme,
    ]


def _with_light(light: Light, now: datetime) -> list[Any]:
    due, warn = col(Report.stage_due_at), col(Report.stage_warn_at)
    running = col(Report.state).in_(sorted(OPEN_STATES))
    if light is Light.RED:
        return [running, due <= now]
    if light is Light.YELLOW:
        return [running, warn <= now, due > now]
    return [running, sa.or_(due.is_(None), warn > now)]


async def contact_of(session: AsyncSession, report_id: UUID) -> ReporterContact | None:
    return await session.get(ReporterContact, report_id)


async def count_address(session: AsyncSession, digest: str, hour: datetime) -> int:
    """Count one more use of an address in an hour; returns how many it has been."""
    table: sa.Table = AddressCount.__table__  # type: ignore[attr-defined]
    insert: Any = sqlite.insert(table) if _is_sqlite(session) else postgresql.insert(table)
    statement = (
        insert.values(digest=digest, hour=hour, used=1)
        .on_conflict_do_update(
            index_elements=[table.c.digest, table.c.hour], set_={"used": table.c.used + 1}
        )
        .returning(table.c.used)
    )
    return int((await session.exec(statement)).scalar_one())


async def forget_addresses(session: AsyncSession, before: datetime) -> None:
    await session.exec(sa.delete(AddressCount).where(col(AddressCount.hour) < before))


def _is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"
