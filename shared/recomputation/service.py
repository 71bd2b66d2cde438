"""Carries a service's recomputation on, chunk by chunk, each in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from shared.observability.context import current_origin
from shared.recomputation.errors import NoSuchRecomputation
from shared.recomputation.repository import J, JobRepository
from shared.service import Runtime
from shared.work import Actor, UnitOfWork
from shared.worktime.digest import calendar_digest

CHUNK = 500
"""Rows in one transaction: short enough that people who work on one of them hardly wait."""

CHUNKS_A_RUN = 40
"""Chunks that the worker does before it looks whether it still has the lease."""

RULE = "rule:recompute-deadlines"
_DONE = "deadlines_recomputed_in"


@dataclass(frozen=True)
class Recomputer(Generic[J]):
    """What a service reckons anew when the calendar changes.

    Attributes:
        table: of its jobs.
        count_open: writes into a job that begins how much is open.
        chunk: reckons the next so many rows, and writes into the job how far it has come; returns
            whether nothing is left.
    """

    table: type[J]
    count_open: Callable[[AsyncSession, J], Awaitable[None]]
    chunk: Callable[[UnitOfWork, Runtime, J, int], Awaitable[bool]]

    async def begin(
        self, runtime: Runtime, *, asked_by: str = RULE, anew: bool = False
    ) -> UUID | None:
        """Begin a pass if the calendar has changed since the last one.

        Args:
            runtime: of the service.
            asked_by: account or rule.
            anew: also if the last pass was by the same calendar.

        Returns:
            The pass to carry on, begun now or broken off before; None if there is nothing to do.
        """
        now = runtime.clock.now()
        digest = calendar_digest(runtime.pack.calendar, now.year)
        async with runtime.database.transaction() as session:
            latest = await JobRepository(session, self.table).latest()
            if latest is not None and latest.calendar == digest:
                if latest.finished_at is None:
                    return latest.id
                if not anew:
                    return None
            job = self.table(calendar=digest, asked_by=asked_by, started_at=now)
            await self.count_open(session, job)
            session.add(job)
            return job.id

    async def carry_on(self, runtime: Runtime, job_id: UUID, *, size: int = CHUNK) -> bool:
        """Do the next chunk of a pass.

        Returns:
            Whether the pass is finished.

        Raises:
            NoSuchRecomputation: there is no such pass.
        """
        async with runtime.database.transaction() as session:
            work = runtime.work(session, Actor(id=RULE), current_origin(None))
            job = await JobRepository(session, self.table).job(job_id, lock=True)
            if job is None:
                raise NoSuchRecomputation("There is no such recomputation.")
            if job.finished_at is not None:
                return True
            finished = await self.chunk(work, runtime, job, size)
            if finished:
                job.finished_at = work.now()
            await work.flush()
        runtime.committed(work)
        return finished

    async def recompute_if_changed(self, runtime: Runtime) -> None:
        """The worker's turn: begin a pass where the calendar has changed, and carry it on."""
        # The calendar of a running process changes with the year at most.
        year = runtime.clock.now().year
        if runtime.extras.get(_DONE) == year:
            return
        job_id = await self.begin(runtime)
        for _ in range(CHUNKS_A_RUN):
            if job_id is None or await self.carry_on(runtime, job_id):
                runtime.extras[_DONE] = year
                return
