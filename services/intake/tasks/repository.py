"""Finding field tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.clocks.domain import Light
from services.intake.tasks.domain import OPEN_STATES, WITH_SOMEBODY, TaskState
from services.intake.tasks.errors import TaskNotFound
from services.intake.tasks.models import FieldTask
from shared.db.pipeline import Statement, together
from shared.events.vocabulary import TaskKind
from shared.web.paging import PageRequest, after

_OF_CASE = col(FieldTask.case_id) == sa.bindparam("of_case", type_=sa.Uuid())
_OF_ROUND = Statement(
    sa.select(col(FieldTask.id)).where(
        _OF_CASE, col(FieldTask.round) == sa.bindparam("number", type_=sa.Integer())
    )
)
_OPEN_OF_CASE = Statement(
    sa.select(col(FieldTask.id)).where(
        _OF_CASE, sa.or_(*(col(FieldTask.state) == state for state in sorted(OPEN_STATES)))
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFilter:
    """What a list is to show; None leaves open. `now` decides the lights."""

    states: Sequence[TaskState] = ()
    kind: TaskKind | None = None
    collector: str | None = None
    grid: str | None = None
    case_id: UUID | None = None
    report_id: UUID | None = None
    urgent: bool | None = None
    light: Light | None = None
    now: datetime


async def load(session: AsyncSession, task_id: UUID) -> FieldTask:
    """The task of an id.

    Raises:
        TaskNotFound: there is none.
    """
    task = await session.get(FieldTask, task_id)
    if task is None:
        raise TaskNotFound("There is no such task.")
    return task


async def is_asked(session: AsyncSession, case_id: UUID, number: int) -> bool:
    """Whether a verification has been asked for in this round of a case."""
    (rows,) = await together(session, (_OF_ROUND, [{"of_case": case_id, "number": number}]))
    return bool(rows)


async def open_of_case(session: AsyncSession, case_id: UUID) -> Sequence[FieldTask]:
    """Tasks of a case that are not over; most cases have none by the time they end."""
    (rows,) = await together(session, (_OPEN_OF_CASE, [{"of_case": case_id}]))
    return [await load(session, task_id) for (task_id,) in rows]


async def list_tasks(
    session: AsyncSession, wanted: TaskFilter, page: PageRequest
) -> Sequence[FieldTask]:
    """Oldest first, one more than a page."""
    statement = after(select(FieldTask).where(*_conditions(wanted)), [col(FieldTask.id)], page)
    found: Sequence[FieldTask] = (await session.exec(statement)).all()
    return found


def _conditions(wanted: TaskFilter) -> list[Any]:
    conditions: list[Any] = []
    if wanted.states:
        conditions.append(col(FieldTask.state).in_(wanted.states))
    for column, value in (
        (col(FieldTask.kind), wanted.kind),
        (col(FieldTask.collector), wanted.collector),
        (col(FieldTask.grid), wanted.grid),
        (col(FieldTask.case_id), wanted.case_id),
        (col(FieldTask.report_id), wanted.report_id),
        (col(FieldTask.urgent), wanted.urgent),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.light is not None:
        conditions += _with_light(wanted.light, wanted.now)
    return conditions


def _with_light(light: Light, now: datetime) -> list[Any]:
    due, warn = col(FieldTask.due_at), col(FieldTask.warn_at)
    running = col(FieldTask.state).in_(sorted(WITH_SOMEBODY))
    if light is Light.RED:
        return [running, due <= now]
    if light is Light.YELLOW:
        return [running, warn <= now, due > now]
    return [running, sa.or_(due.is_(None), warn > now)]


async def to_move(session: AsyncSession, now: datetime, limit: int) -> Sequence[UUID]:
    """Tasks whose time has come: expired with somebody, or waited long enough."""
    expired = select(FieldTask.id).where(
        col(FieldTask.state).in_(sorted(WITH_SOMEBODY)), col(FieldTask.expires_at) <= now
    )
    ripe = select(FieldTask.id).where(
        FieldTask.state == TaskState.WAITING, col(FieldTask.not_before) <= now
    )
    found = [*(await session.exec(expired.limit(limit))).all()]
    found += (await session.exec(ripe.limit(limit))).all()
    return found
