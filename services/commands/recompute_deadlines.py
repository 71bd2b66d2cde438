"""`minqing recompute-deadlines`: due times of all that is open by the calendar that holds now."""

import asyncio
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import typer
from rich.progress import Progress

from services.composition import running_alone
from services.dispatch.recomputation.models import MovedDeadline as MovedCase
from services.dispatch.recomputation.models import Recomputation as CaseRecomputation
from services.dispatch.recomputation.service import recomputer as of_dispatch
from services.intake.recomputation.models import MovedDeadline as MovedInIntake
from services.intake.recomputation.models import Recomputation as IntakeRecomputation
from services.intake.recomputation.service import recomputer as of_intake
from shared.db.core import execute
from shared.observability.logs import configure_logs
from shared.recomputation.models import RecomputationJob
from shared.recomputation.service import Recomputer
from shared.service import Runtime

app = typer.Typer()

SHOWN = 20
TIMES = tuple(
    f"{clock}_{when}"
    for clock in ("handling", "stage", "whole", "expires")
    for when in ("before", "after")
)
COLUMNS = ("kind", "number", "held_by", *TIMES)
"""Of the report; a clock that something has not is empty."""

_CASE: sa.Table = MovedCase.__table__  # type: ignore[attr-defined]
_INTAKE: sa.Table = MovedInIntake.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Service:
    """A service that keeps deadlines.

    Attributes:
        words: what it has open.
        counts: the columns of its job that say how much that was.
        moved: where its columns of the report are found; what is not named is empty.
        key: orders what moved.
    """

    name: str
    words: str
    counts: tuple[str, ...]
    recomputer: Recomputer[Any]
    table: type[RecomputationJob]
    moved: dict[str, sa.ColumnElement[Any]]
    job: sa.Column[UUID]
    key: sa.Column[UUID]


SERVICES = (
    _Service(
        name="dispatch",
        words="open cases",
        counts=("open_cases",),
        recomputer=of_dispatch,
        table=CaseRecomputation,
        moved={
            "kind": sa.literal("case"),
            "number": _CASE.c.case_number,
            "held_by": _CASE.c.unit,
            **{name: _CASE.c[name] for name in TIMES if name in _CASE.c},
        },
        job=_CASE.c.recomputation_id,
        key=_CASE.c.case_id,
    ),
    _Service(
        name="intake",
        words="open reports and field tasks",
        counts=("open_reports", "open_tasks"),
        recomputer=of_intake,
        table=IntakeRecomputation,
        moved={
            "kind": _INTAKE.c.kind,
            "number": _INTAKE.c.number,
            "held_by": _INTAKE.c.collector,
            "stage_before": _INTAKE.c.due_before,
            "stage_after": _INTAKE.c.due_after,
            "expires_before": _INTAKE.c.expires_before,
            "expires_after": _INTAKE.c.expires_after,
        },
        job=_INTAKE.c.recomputation_id,
        key=_INTAKE.c.subject_id,
    ),
)


@app.callback(invoke_without_command=True)
def recompute_deadlines(
    *,
    anew: Annotated[
        bool, typer.Option("--anew", help="Also if the calendar has not changed since the last.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write all that moved to this CSV file.")
    ] = None,
) -> None:
    """Reckon the due times of open cases, reports and field tasks anew, and tell what moved.

    The workers of dispatch and intake do it by themselves when they start with another calendar.
    Broken off, the command or the worker goes on where it was; doing it twice moves nothing more.
    """
    configure_logs("WARNING")
    asyncio.run(_recompute_all(anew=anew, report=report))


async def _recompute_all(*, anew: bool, report: Path | None) -> None:
    rows = [
        row
        for service in SERVICES
        for row in await _recompute(service, anew=anew, limit=None if report else SHOWN)
    ]
    if report is not None:
        with report.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])


async def _recompute(
    service: _Service, *, anew: bool, limit: int | None
) -> Sequence[tuple[object, ...]]:
    """Recompute one service and say so; what moved, at most so many."""
    async with running_alone(service.name) as runtime:
        recomputer = service.recomputer
        job_id = await recomputer.begin(runtime, asked_by="command:recompute-deadlines", anew=anew)
        if job_id is None:
            typer.echo(f"{service.name}: the calendar has not changed since the last recomputation")
            return []
        job = await _job(runtime, service, job_id)
        total = sum(getattr(job, count) for count in service.counts)
        with Progress() as progress:
            task = progress.add_task(service.words, total=total, completed=job.looked_at)
            while not await recomputer.carry_on(runtime, job_id):
                job = await _job(runtime, service, job_id)
                progress.update(task, completed=job.looked_at)
        job = await _job(runtime, service, job_id)
        rows = await _moved(runtime, service, job_id, limit)
    typer.echo(f"{job.looked_at} {service.words} looked at, due times of {job.moved} moved")
    if limit is not None:
        for kind, number, holder, *times in rows:
            shown = " ".join(str(time) for time in times)
            typer.echo(f"{kind} {number or '-'}  {holder or '-'}  {shown}")
        if job.moved > len(rows):
            typer.echo(f"and {job.moved - len(rows)} more: see --report, or the API")
    return rows


async def _job(runtime: Runtime, service: _Service, job_id: UUID) -> RecomputationJob:
    async with runtime.database.reading() as session:
        return await session.get_one(service.table, job_id)


async def _moved(
    runtime: Runtime, service: _Service, job_id: UUID, limit: int | None
) -> list[tuple[object, ...]]:
    statement = (
        sa.select(*(service.moved.get(name, sa.null()).label(name) for name in COLUMNS))
        .where(service.job == job_id)
        .order_by(service.key)
        .limit(limit)
    )
    async with runtime.database.reading() as session:
        return [tuple(row) for row in await execute(session, statement)]
