"""`minqing recompute-deadlines`: due times of open cases by the calendar that holds now."""

import asyncio
import csv
from pathlib import Path
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
import typer
from rich.progress import Progress

from services.composition import running_alone
from services.dispatch.recomputation.models import MovedDeadline, Recomputation
from services.dispatch.recomputation.service import begin, carry_on
from shared.db.core import execute
from shared.observability.logs import configure_logs
from shared.service import Runtime

app = typer.Typer()

SHOWN = 20
COLUMNS = (
    "case_number",
    "unit",
    "handling_before",
    "handling_after",
    "stage_before",
    "stage_after",
    "whole_before",
    "whole_after",
)


@app.callback(invoke_without_command=True)
def recompute_deadlines(
    *,
    anew: Annotated[
        bool, typer.Option("--anew", help="Also if the calendar has not changed since the last.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write every moved case to this CSV file.")
    ] = None,
) -> None:
    """Reckon the due times of all open cases anew, and tell what moved.

    The worker of dispatch does it by itself when it starts with another calendar. Broken off, the
    command or the worker goes on where it was; doing it twice moves nothing more.
    """
    configure_logs("WARNING")
    asyncio.run(_recompute(anew=anew, report=report))


async def _recompute(*, anew: bool, report: Path | None) -> None:
    async with running_alone("dispatch") as runtime:
        job_id = await begin(runtime, asked_by="command:recompute-deadlines", anew=anew)
        if job_id is None:
            typer.echo("the calendar has not changed since the last recomputation")
            return
        job = await _job(runtime, job_id)
        with Progress() as progress:
            task = progress.add_task("open cases", total=job.open_cases, completed=job.looked_at)
            while not await carry_on(runtime, job_id):
                job = await _job(runtime, job_id)
                progress.update(task, completed=job.looked_at)
        job = await _job(runtime, job_id)
        rows = await _moved(runtime, job_id, None if report else SHOWN)
    typer.echo(f"{job.looked_at} open cases looked at, due times of {job.moved} moved")
    if report is not None:
        with report.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
        return
    for number, unit, *times in rows:
        shown = " ".join(str(time) for time in times)
        typer.echo(f"{number}  {unit or '-'}  {shown}")
    if job.moved > len(rows):
        typer.echo(f"and {job.moved - len(rows)} more: see --report, or the API")


async def _job(runtime: Runtime, job_id: UUID) -> Recomputation:
    async with runtime.database.reading() as session:
        return await session.get_one(Recomputation, job_id)


async def _moved(runtime: Runtime, job_id: UUID, limit: int | None) -> list[tuple[object, ...]]:
    table: sa.Table = MovedDeadline.__table__  # type: ignore[attr-defined]
    statement = (
        sa.select(*(table.c[name] for name in COLUMNS))
        .where(table.c.recomputation_id == job_id)
        .order_by(table.c.case_id)
        .limit(limit)
    )
    async with runtime.database.reading() as session:
        return [tuple(row) for row in await execute(session, statement)]
