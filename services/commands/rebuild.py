"""`minqing rebuild`: everything that assessment computed, made anew from the events it stored."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.progress import Progress

from services.assessment.events.repository import LOG
from services.assessment.facts.service import (
    EVENTS_A_STEP,
    begin_rebuild,
    fold_pending,
    rebuild_records,
    rebuild_step,
)
from services.assessment.records.repository import RecordStore
from services.composition import running_alone
from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.db.core import execute
from shared.observability.logs import configure_logs
from shared.service import Runtime

app = typer.Typer()


@app.callback(invoke_without_command=True)
def rebuild(
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of `minqing serve`, if that is what runs here."),
    ] = None,
    pack: Annotated[
        Path | None, typer.Option(help="City pack directory; MINQING_PACK when not given.")
    ] = None,
) -> None:
    """Make the records and the facts of all cases anew from the stored events.

    For after an update that counts something new, and after a broken disk. It may run beside the
    service, which goes on taking events in; figures stay readable. Broken off, it is started again.
    """
    configure_logs("WARNING")
    given: dict[str, Any] = {}
    if folder is not None:
        given["database_url"] = f"sqlite+aiosqlite:///{(folder / 'assessment.db').resolve()}"
    if pack is not None:
        given["pack"] = pack
    asyncio.run(_rebuild(given))


async def _rebuild(given: dict[str, Any]) -> None:
    # No event is told, so no broker is needed.
    nobody = MemoryTransport(MemoryExchange())
    async with running_alone("assessment", transport=nobody, **given) as runtime:
        with Progress() as progress:
            await rebuild_all(runtime, progress)


async def rebuild_all(runtime: Runtime, progress: Progress) -> None:
    """Records first, cohort by cohort, then the facts of every subject."""
    cohorts = await _cohorts(runtime)
    task = progress.add_task("records", total=len(cohorts))
    for cohort in cohorts:
        await rebuild_records(runtime, cohort)
        progress.advance(task)
    async with runtime.database.reading() as session:
        count = sa.select(sa.func.count()).select_from(LOG)
        stored = int((await execute(session, count)).one()[0])
    task = progress.add_task("facts", total=stored)
    await begin_rebuild(runtime)
    while await rebuild_step(runtime):
        await fold_pending(runtime)
        progress.advance(task, EVENTS_A_STEP)
    while await fold_pending(runtime):
        pass
    progress.update(task, completed=stored)


async def _cohorts(runtime: Runtime) -> list[int]:
    cohorts: list[int] = []
    async with runtime.database.reading() as session:
        store = RecordStore(session)
        cohort = await store.next_cohort(None)
        while cohort is not None:
            cohorts.append(cohort)
            cohort = await store.next_cohort(cohort)
    return cohorts
