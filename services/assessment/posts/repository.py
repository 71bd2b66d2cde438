"""Counts of people and posts, each one statement over an index."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow, StageFactsRow
from services.assessment.facts.repository import table_of
from services.assessment.fieldwork.domain import AttemptOutcome, ReportState, TicketOutcome
from services.assessment.fieldwork.models import (
    AccountFacts,
    CallbackFacts,
    CallFacts,
    PatrolFacts,
    ReportFacts,
    TaskFacts,
    TicketFacts,
)
from services.assessment.periods.domain import Period
from services.assessment.posts.domain import (
    SECONDS_TO_ANSWER,
    Duty,
    DutyCounts,
    FoundByOthers,
    Patrol,
    ReportCounts,
    TaskCounts,
)
from services.assessment.posts.schemas import ReportFigure, TaskFigure
from shared.events.hotline import CallbackOutcome, Satisfaction
from shared.web.paging import PageRequest, after

LINES = table_of(AssignmentFactsRow)
CASES = table_of(CaseFactsRow)
REPORTS = table_of(ReportFacts)
TASKS = table_of(TaskFacts)
PATROLS = table_of(PatrolFacts)
CALLS = table_of(CallFacts)
TICKETS = table_of(TicketFacts)
CALLBACKS = table_of(CallbackFacts)
STAGES = table_of(StageFactsRow)
ACCOUNTS = table_of(AccountFacts)

SATISFIED = (Satisfaction.VERY_SATISFIED, Satisfaction.SATISFIED, Satisfaction.BASICALLY)
_ENDED = (AttemptOutcome.COMPLETED, AttemptOutcome.EXPIRED)


class PostRepository:
    """Counts within one period."""

    def __init__(self, session: AsyncSession, period: Period) -> None:
        self._session = session
        self._period = period

    async def account_ids(self, logins: Collection[str]) -> dict[str, list[str]]:
        """Account ids by account name; the name itself is among them, as some systems use it."""
        found = {login: [login] for login in logins}
        statement = sa.select(ACCOUNTS.c.login, ACCOUNTS.c.account_id)
        for login, account_id in await self._rows(
            statement.where(ACCOUNTS.c.login.in_(list(logins)))
        ):
            found[login].append(account_id)
        return found

    async def accounts_of_unit(self, unit: str) -> list[tuple[str, list[str]]]:
        """Account names of a unit, with their roles."""
        statement = sa.select(ACCOUNTS.c.login, ACCOUNTS.c.roles).where(ACCOUNTS.c.unit == unit)
        return [(login, roles) for login, roles in await self._rows(statement)]

    async def reports_of(self, reporters: Collection[str]) -> dict[str, ReportCounts]:
        """Reports by reporter."""
        statement = (
            sa.select(
                REPORTS.c.reporter_id,
                sa.func.count(),
                sa.func.count().filter(REPORTS.c.state == ReportState.REGISTERED),
            )
            .where(REPORTS.c.reporter_id.in_(list(reporters)), *self._within(REPORTS.c.received_at))
            .group_by(REPORTS.c.reporter_id)
        )
        return {row[0]: ReportCounts(row[1], row[2]) for row in await self._rows(statement)}

    async def tasks_of(self, collectors: Collection[str]) -> dict[str, TaskCounts]:
        """Field tasks of these collectors by kind, by the time of issue."""
        statement = (
            sa.select(
                TASKS.c.kind,
                sa.func.count(),
                sa.func.count().filter(TASKS.c.outcome.in_(_ENDED)),
                sa.func.count().filter(TASKS.c.in_time),
            )
            .where(TASKS.c.collector.in_(list(collectors)), *self._within(TASKS.c.issued_at))
            .group_by(TASKS.c.kind)
        )
        return {row[0]: TaskCounts(*row[1:]) for row in await self._rows(statement)}

    async def patrols_of(self, collectors: Collection[str]) -> list[Patrol]:
        statement = sa.select(PATROLS.c.started_at, PATROLS.c.ended_at, PATROLS.c.grids).where(
            PATROLS.c.collector.in_(list(collectors)), *self._within(PATROLS.c.started_at)
        )
        return [Patrol(row[0], row[1], tuple(row[2])) for row in await self._rows(statement)]

    async def found_by_others(
        self, reporters: Collection[str], grids: Collection[str]
    ) -> list[FoundByOthers]:
        """Cases in these grids that came from other reporters."""
        if not grids:
            return []
        others = sa.or_(
            REPORTS.c.reporter_id.is_(None), REPORTS.c.reporter_id.not_in(list(reporters))
        )
        found = (
            REPORTS.c.grid,
            REPORTS.c.observed_at,
            REPORTS.c.report_id,
            REPORTS.c.number,
            REPORTS.c.case_id,
        )
        statement = sa.select(*found).where(
            *self._within(REPORTS.c.received_at),
            REPORTS.c.state == ReportState.REGISTERED,
            REPORTS.c.grid.in_(list(grids)),
            others,
        )
        return [FoundByOthers(*row) for row in await self._rows(statement)]

    async def stages(self) -> Sequence[Any]:
        """Stage, post, count, with a limit, kept, mean and longest counted seconds."""
        statement = (
            sa.select(
                STAGES.c.stage,
                STAGES.c.post,
                sa.func.count(),
                sa.func.count(STAGES.c.kept),
                sa.func.count().filter(STAGES.c.kept),
                sa.func.avg(STAGES.c.used_seconds),
                sa.func.max(STAGES.c.used_seconds),
            )
            .where(*self._within(STAGES.c.ended_at))
            .group_by(STAGES.c.stage, STAGES.c.post)
            .order_by(STAGES.c.stage, STAGES.c.post)
        )
        return await self._rows(statement)

    async def calls(self, agents: Collection[str] | None) -> Sequence[Any]:
        """Calls by direction: count, answered, answered in time, summed seconds to answer."""
        seconds = CALLS.c.seconds_to_answer
        statement = (
            sa.select(
                CALLS.c.direction,
                sa.func.count(),
                sa.func.count(seconds),
                sa.func.count().filter(seconds <= SECONDS_TO_ANSWER),
                sa.func.coalesce(sa.func.sum(seconds), 0.0),
            )
            .where(*self._within(CALLS.c.ended_at), *_one_of(CALLS.c.agent, agents))
            .group_by(CALLS.c.direction)
        )
        return await self._rows(statement)

    async def tickets(self, agents: Collection[str] | None) -> dict[TicketOutcome, int]:
        statement = (
            sa.select(TICKETS.c.outcome, sa.func.count())
            .where(*self._within(TICKETS.c.settled_at), *_one_of(TICKETS.c.agent, agents))
            .group_by(TICKETS.c.outcome)
        )
        return {row[0]: row[1] for row in await self._rows(statement)}

    async def callbacks(self, agents: Collection[str] | None) -> tuple[int, int, int, int]:
        """Tries, reached, rated, satisfied."""
        rating = CALLBACKS.c.satisfaction
        statement = sa.select(
            sa.func.count(),
            sa.func.count().filter(CALLBACKS.c.outcome == CallbackOutcome.REACHED.value),
            sa.func.count(rating),
            sa.func.count().filter(rating.in_([level.value for level in SATISFIED])),
        ).where(*self._within(CALLBACKS.c.at), *_one_of(CALLBACKS.c.agent, agents))
        row = (await self._rows(statement))[0]
        return row[0], row[1], row[2], row[3]

    async def reports_page(
        self, reporters: Collection[str], figure: ReportFigure, page: PageRequest
    ) -> Sequence[ReportFacts]:
        """The reports behind a figure, oldest first."""
        statement = select(ReportFacts).where(
            col(ReportFacts.reporter_id).in_(list(reporters)),
            *self._within(REPORTS.c.received_at),
        )
        state = {
            ReportFigure.VALID: ReportState.REGISTERED,
            ReportFigure.REJECTED: ReportState.REJECTED,
            ReportFigure.MERGED: ReportState.MERGED,
        }.get(figure)
        if state is not None:
            statement = statement.where(ReportFacts.state == state)
        columns = [ReportFacts.received_at, ReportFacts.report_id]
        rows: Sequence[ReportFacts] = (
            await self._session.exec(after(statement, columns, page))
        ).all()
        return rows

    async def tasks_page(
        self, collector: str, figure: TaskFigure, page: PageRequest
    ) -> Sequence[TaskFacts]:
        """The field tasks behind a figure, oldest first."""
        conditions: dict[TaskFigure, list[Any]] = {
            TaskFigure.ISSUED: [],
            TaskFigure.IN_TIME: [TASKS.c.in_time],
            TaskFigure.LATE: [
                TASKS.c.outcome == AttemptOutcome.COMPLETED,
                sa.not_(TASKS.c.in_time),
            ],
            TaskFigure.EXPIRED: [TASKS.c.outcome == AttemptOutcome.EXPIRED],
        }
        statement = select(TaskFacts).where(
            TaskFacts.collector == collector,
            *self._within(TASKS.c.issued_at),
            *conditions[figure],
        )
        columns = [TaskFacts.issued_at, TaskFacts.task_id, TaskFacts.attempt]
        rows: Sequence[TaskFacts] = (
            await self._session.exec(after(statement, columns, page))
        ).all()
        return rows

    async def stages_page(
        self, stage: str, post: str | None, page: PageRequest, *, kept: bool | None
    ) -> Sequence[StageFactsRow]:
        """The stages behind a figure, by the time of their end."""
        statement = select(StageFactsRow).where(
            StageFactsRow.stage == stage, *self._within(STAGES.c.ended_at)
        )
        if post is not None:
            statement = statement.where(StageFactsRow.post == post)
        if kept is not None:
            statement = statement.where(StageFactsRow.kept == kept)
        columns = [StageFactsRow.ended_at, StageFactsRow.case_id, StageFactsRow.ordinal]
        rows: Sequence[StageFactsRow] = (
            await self._session.exec(after(statement, columns, page))
        ).all()
        return rows

    async def duties(self) -> dict[Duty, DutyCounts]:
        """How many decisions of each kind people took, and how many had to be taken back."""
        counted = {}
        for duty in Duty:
            timed = REPORTS.c.decided_in_time if duty is Duty.RECEPTION else sa.null()
            source, done, wrong, _ = self._duty(duty)
            statement = (
                sa.select(
                    sa.func.count(),
                    sa.func.count().filter(wrong),
                    sa.func.count(timed),
                    sa.func.count().filter(timed) if duty is Duty.RECEPTION else sa.literal(0),
                )
                .select_from(source)
                .where(*done)
            )
            counted[duty] = DutyCounts(*(await self._rows(statement))[0])
        return counted

    async def wrong_page(self, duty: Duty, page: PageRequest) -> Sequence[Any]:
        """The decisions that had to be taken back, oldest first."""
        source, done, wrong, key = self._duty(duty)
        reception, dispatch = duty is Duty.RECEPTION, duty is Duty.DISPATCH
        nothing = sa.null()
        columns = [
            (REPORTS.c.report_id if reception else nothing).label("report_id"),
            (REPORTS if reception else CASES).c.case_id.label("case_id"),
            (REPORTS if reception else CASES).c.number.label("number"),
            (LINES.c.unit if dispatch else nothing).label("unit"),
            key[0].label("at"),
            *(part.label(f"key_{place}") for place, part in enumerate(key)),
        ]
        statement = sa.select(*columns).select_from(source).where(*done, wrong)
        return await self._rows(after(statement, key, page))

    def _duty(self, duty: Duty) -> tuple[Any, list[Any], Any, list[Any]]:
        """Where the decisions of a duty are, which count, which were wrong, and their order."""
        if duty is Duty.RECEPTION:
            source = REPORTS.outerjoin(CASES, CASES.c.case_id == REPORTS.c.case_id)
            done = [
                *self._within(REPORTS.c.decided_at),
                REPORTS.c.state != ReportState.RECEIVED,
                sa.not_(REPORTS.c.by_rule),
            ]
            wrong = sa.or_(REPORTS.c.overturned, CASES.c.voided_at.is_not(None))
            return source, done, wrong, [REPORTS.c.decided_at, REPORTS.c.report_id]
        if duty is Duty.REGISTRATION:
            done = [*self._within(CASES.c.registered_at), sa.not_(CASES.c.by_rule)]
            wrong = CASES.c.voided_at.is_not(None)
            return CASES, done, wrong, [CASES.c.registered_at, CASES.c.case_id]
        source = LINES.join(CASES, CASES.c.case_id == LINES.c.case_id)
        done = [*self._within(LINES.c.dispatched_at), sa.not_(LINES.c.voided)]
        wrong = sa.or_(LINES.c.returned_to_other > 0, LINES.c.awaiting_dispatch)
        return source, done, wrong, [LINES.c.dispatched_at, LINES.c.case_id, LINES.c.ordinal]

    async def calls_page(self, agents: Collection[str], page: PageRequest) -> Sequence[CallFacts]:
        """Calls of an agent, oldest first."""
        statement = select(CallFacts).where(
            col(CallFacts.agent).in_(list(agents)), *self._within(CALLS.c.ended_at)
        )
        columns = [CallFacts.ended_at, CallFacts.subject, CallFacts.sequence]
        rows: Sequence[CallFacts] = (
            await self._session.exec(after(statement, columns, page))
        ).all()
        return rows

    async def tickets_page(
        self, agents: Collection[str], outcome: TicketOutcome | None, page: PageRequest
    ) -> Sequence[TicketFacts]:
        """Tickets that an agent settled or submitted, oldest first."""
        statement = select(TicketFacts).where(
            col(TicketFacts.agent).in_(list(agents)), *self._within(TICKETS.c.settled_at)
        )
        if outcome is not None:
            statement = statement.where(TicketFacts.outcome == outcome)
        columns = [TicketFacts.settled_at, TicketFacts.ticket_id]
        rows: Sequence[TicketFacts] = (
            await self._session.exec(after(statement, columns, page))
        ).all()
        return rows

    async def callbacks_page(
        self, agents: Collection[str], page: PageRequest
    ) -> Sequence[CallbackFacts]:
        """Call-backs of an agent, oldest first."""
        statement = select(CallbackFacts).where(
            col(CallbackFacts.agent).in_(list(agents)), *self._within(CALLBACKS.c.at)
        )
        columns = [CallbackFacts.at, CallbackFacts.ticket_id, CallbackFacts.sequence]
        rows: Sequence[CallbackFacts] = (
            await self._session.exec(after(statement, columns, page))
        ).all()
        return rows

    def _within(self, column: Any) -> tuple[Any, Any]:
        return column >= self._period.start, column < self._period.end

    async def _rows(self, statement: Any) -> Sequence[Any]:
        connection = await self._session.connection()
        return (await connection.execute(statement)).all()


def _one_of(column: Any, values: Collection[str] | None) -> list[Any]:
    return [] if values is None else [column.in_(list(values))]
