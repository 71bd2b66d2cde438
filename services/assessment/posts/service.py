"""Figures of people, companies and posts in a period, from the facts as they are now."""

from collections.abc import Collection, Iterable, Sequence
from zoneinfo import ZoneInfo

from services.assessment.facts.models import StageFactsRow
from services.assessment.facts.schemas import StageView
from services.assessment.fieldwork.domain import TicketOutcome
from services.assessment.fieldwork.models import ReportFacts, TaskFacts
from services.assessment.periods.domain import parse_period
from services.assessment.posts.domain import (
    Duty,
    DutyCounts,
    FoundByOthers,
    Patrol,
    ReportCounts,
    TaskCounts,
    covered,
    missed,
)
from services.assessment.posts.errors import CompanyUnknown, PersonUnknown
from services.assessment.posts.repository import PostRepository
from services.assessment.posts.schemas import (
    AgentView,
    CallbackView,
    CallView,
    CollectorView,
    CompanyView,
    DutyView,
    GridLeadersSumView,
    GridLeaderView,
    HotlineView,
    MissedView,
    PostStageView,
    PostsView,
    ReportFigure,
    ReportView,
    TaskFigure,
    TaskView,
    TicketView,
    WorkCounts,
    WrongView,
)
from services.assessment.scoring.domain import rate, rounded
from shared.db.database import ReadSession
from shared.events.vocabulary import TaskKind
from shared.pack.model import CityPack, Person, UnitKind
from shared.vocabulary import Role
from shared.web.paging import Page, PageRequest, page_of, rows_after

_NONE = TaskCounts()


class PostService:
    """Figures of one period.

    Raises:
        PeriodUnreadable: no such period.
    """

    def __init__(self, session: ReadSession, pack: CityPack, period: str) -> None:
        self._pack = pack
        self._zone = ZoneInfo(pack.city.zone)
        self._period = parse_period(period, self._zone)
        self._repository = PostRepository(session, self._period)

    async def collector(self, login: str) -> CollectorView:
        """A collector's own figures.

        Raises:
            PersonUnknown: nobody of that name is a collector.
        """
        person = self._person(login, Role.COLLECTOR)
        ids = (await self._repository.account_ids([login]))[login]
        patrols = await self._repository.patrols_of(ids)
        overlooked = await self._missed(ids, patrols)
        done = covered(patrols, person.grids)
        counts = await self._counts(ids)
        return CollectorView(
            **counts.model_dump(),
            login=login,
            period=self._period.key,
            grids_assigned=len(person.grids),
            grids_covered=len(done),
            coverage_rate=_share(len(done), len(person.grids)),
            missed=len(overlooked),
        )

    async def collector_missed(self, login: str, page: PageRequest) -> Page[MissedView]:
        """What others found first, behind a collector's figure; by the report's id."""
        self._person(login, Role.COLLECTOR)
        ids = (await self._repository.account_ids([login]))[login]
        overlooked = await self._missed(ids, await self._repository.patrols_of(ids))
        ordered = sorted(overlooked, key=_missed_key)
        rows = rows_after(ordered, page, _missed_key)
        return page_of(rows, page, _missed_key, MissedView.model_validate)

    async def _missed(self, ids: Collection[str], patrols: Sequence[Patrol]) -> list[FoundByOthers]:
        walked = {grid for patrol in patrols for grid in patrol.grids}
        found = await self._repository.found_by_others(ids, walked)
        return missed(patrols, found, self._zone)

    async def collector_reports(
        self, login: str, figure: ReportFigure, page: PageRequest
    ) -> Page[ReportView]:
        """The reports behind a collector's figure."""
        self._person(login, Role.COLLECTOR)
        return await self._reports([login], figure, page)

    async def collector_tasks(
        self, login: str, figure: TaskFigure, page: PageRequest
    ) -> Page[TaskView]:
        """The field tasks behind a collector's figure."""
        self._person(login, Role.COLLECTOR)
        rows = await self._repository.tasks_page(login, figure, page)
        return page_of(rows, page, _task_key, TaskView.model_validate)

    async def companies(self, only: str | None) -> list[CompanyView]:
        """Collection companies, each the sum of its collectors, sorted by code."""
        codes = sorted(
            unit.code
            for unit in self._pack.units.values()
            if unit.kind is UnitKind.COLLECTION_COMPANY and only in (None, unit.code)
        )
        return [await self._company(code) for code in codes]

    async def company_reports(
        self, company: str, figure: ReportFigure, page: PageRequest
    ) -> Page[ReportView]:
        """The reports behind a company's figure, without the names of its collectors.

        Raises:
            CompanyUnknown: no collection company has this code.
        """
        unit = self._pack.units.get(company)
        if unit is None or unit.kind is not UnitKind.COLLECTION_COMPANY:
            raise CompanyUnknown("Take the code of a collection company of this city.")
        return await self._reports(await self._collectors_of(company), figure, page)

    async def grid_leaders(self, only: str | None) -> list[GridLeaderView]:
        """Grid leaders and courtyard heads with their reports, sorted by account name."""
        leaders = {person.login: person for person in self._pack.people_with(Role.GRID_LEADER)}
        if only is not None:
            leaders = {login: person for login, person in leaders.items() if login == only}
        ids = await self._repository.account_ids(leaders)
        counts = await self._repository.reports_of([id_ for known in ids.values() for id_ in known])
        views = []
        for login in sorted(leaders):
            total = _sum(counts.get(id_) for id_ in ids[login])
            views.append(
                GridLeaderView(
                    login=login,
                    territory=list(leaders[login].territory),
                    reported=total.reported,
                    valid=total.valid,
                    validity_rate=_share(total.valid, total.reported),
                )
            )
        return views

    async def grid_leaders_sum(self) -> GridLeadersSumView:
        """All grid leaders together."""
        lines = await self.grid_leaders(None)
        reported = sum(line.reported for line in lines)
        valid = sum(line.valid for line in lines)
        return GridLeadersSumView(
            period=self._period.key,
            leaders=len(lines),
            reported=reported,
            valid=valid,
            validity_rate=_share(valid, reported),
        )

    async def grid_leader_reports(
        self, login: str, figure: ReportFigure, page: PageRequest
    ) -> Page[ReportView]:
        """The reports behind a grid leader's figure.

        Raises:
            PersonUnknown: nobody of that name is a grid leader.
        """
        self._person(login, Role.GRID_LEADER)
        return await self._reports([login], figure, page)

    async def agent_calls(self, login: str, page: PageRequest) -> Page[CallView]:
        """The calls behind an agent's figures."""
        rows = await self._repository.calls_page(await self._agent_ids(login), page)
        return page_of(
            rows,
            page,
            lambda row: (row.ended_at, row.subject, row.sequence),
            CallView.model_validate,
        )

    async def agent_tickets(
        self, login: str, outcome: TicketOutcome | None, page: PageRequest
    ) -> Page[TicketView]:
        """The tickets behind an agent's figures."""
        rows = await self._repository.tickets_page(await self._agent_ids(login), outcome, page)
        return page_of(
            rows, page, lambda row: (row.settled_at, row.ticket_id), TicketView.model_validate
        )

    async def agent_callbacks(self, login: str, page: PageRequest) -> Page[CallbackView]:
        """The call-backs behind an agent's figures."""
        rows = await self._repository.callbacks_page(await self._agent_ids(login), page)
        return page_of(
            rows,
            page,
            lambda row: (row.at, row.ticket_id, row.sequence),
            CallbackView.model_validate,
        )

    async def _agent_ids(self, login: str) -> list[str]:
        self._person(login, Role.AGENT)
        return (await self._repository.account_ids([login]))[login]

    async def agent(self, login: str) -> AgentView:
        """An agent's own figures.

        Raises:
            PersonUnknown: nobody of that name is an agent.
        """
        self._person(login, Role.AGENT)
        ids = (await self._repository.account_ids([login]))[login]
        calls = await self._repository.calls(ids)
        tickets = await self._repository.tickets(ids)
        callbacks, reached, rated, satisfied = await self._repository.callbacks(ids)
        answered = sum(row[2] for row in calls)
        waited = sum(row[4] for row in calls)
        return AgentView(
            login=login,
            period=self._period.key,
            calls=sum(row[1] for row in calls),
            answered=answered,
            answered_in_time=sum(row[3] for row in calls),
            mean_seconds_to_answer=round(waited / answered, 3) if answered else None,
            handled_at_once=tickets.get(TicketOutcome.ANSWERED, 0),
            referred=tickets.get(TicketOutcome.REFERRED, 0),
            submitted=tickets.get(TicketOutcome.SUBMITTED, 0),
            callbacks=callbacks,
            reached=reached,
            satisfied=satisfied,
            satisfaction_rate=_share(satisfied, rated),
        )

    async def hotline(self) -> HotlineView:
        """The hotline as a whole."""
        calls = {row[0]: row for row in await self._repository.calls(None)}
        _, inbound, answered, in_time, _ = calls.get("inbound", ("inbound", 0, 0, 0, 0.0))
        tickets = await self._repository.tickets(None)
        callbacks, reached, rated, satisfied = await self._repository.callbacks(None)
        return HotlineView(
            period=self._period.key,
            inbound=inbound,
            answered=answered,
            connection_rate=_share(answered, inbound),
            answered_in_time=in_time,
            submitted=tickets.get(TicketOutcome.SUBMITTED, 0),
            handled_at_once=tickets.get(TicketOutcome.ANSWERED, 0),
            referred=tickets.get(TicketOutcome.REFERRED, 0),
            withdrawn=tickets.get(TicketOutcome.WITHDRAWN, 0),
            callbacks=callbacks,
            reached=reached,
            satisfied=satisfied,
            rated=rated,
            satisfaction_rate=_share(satisfied, rated),
        )

    async def posts(self) -> PostsView:
        """How the posts kept the limits of their stages."""
        rows = await self._repository.stages()
        return PostsView(
            period=self._period.key,
            posts=[
                PostStageView(
                    stage=stage,
                    post=post,
                    stages=count,
                    limited=limited,
                    kept=kept,
                    kept_rate=_share(kept, limited),
                    mean_seconds=round(float(mean), 3) if mean is not None else None,
                    longest_seconds=longest,
                )
                for stage, post, count, limited, kept, mean, longest in rows
            ],
            duties=[_duty(*item) for item in (await self._repository.duties()).items()],
        )

    async def wrong(self, duty: Duty, page: PageRequest) -> Page[WrongView]:
        """The decisions of a post that had to be taken back."""
        rows = await self._repository.wrong_page(duty, page)
        return page_of(
            rows,
            page,
            lambda row: [value for name, value in row._mapping.items() if name.startswith("key_")],  # noqa: SLF001
            lambda row: WrongView(**{name: row._mapping[name] for name in WrongView.model_fields}),  # noqa: SLF001
        )

    async def stages(
        self, stage: str, post: str | None, page: PageRequest, *, kept: bool | None
    ) -> Page[StageView]:
        """The cases behind a post's figure."""
        rows = await self._repository.stages_page(stage, post, page, kept=kept)
        return page_of(rows, page, _stage_key, StageView.model_validate)

    async def _company(self, code: str) -> CompanyView:
        logins = await self._collectors_of(code)
        known = await self._repository.account_ids(logins)
        ids = [id_ for each in known.values() for id_ in each]
        assigned = {grid.code for grid in self._pack.grids.values() if grid.owner in logins}
        done = covered(await self._repository.patrols_of(ids), assigned)
        counts = await self._counts(ids)
        unit = self._pack.units[code]
        return CompanyView(
            **counts.model_dump(),
            company=code,
            name_zh=unit.name.zh,
            name_en=unit.name.en,
            collectors=len(logins),
            grids_assigned=len(assigned),
            grids_covered=len(done),
            coverage_rate=_share(len(done), len(assigned)),
        )

    async def _collectors_of(self, company: str) -> list[str]:
        """Collectors of the pack and of the accounts made since."""
        logins = {person.login for person in self._pack.people_with(Role.COLLECTOR, company)}
        for login, roles in await self._repository.accounts_of_unit(company):
            if Role.COLLECTOR.value in roles:
                logins.add(login)
        return sorted(logins)

    async def _counts(self, ids: Collection[str]) -> WorkCounts:
        reports = _sum((await self._repository.reports_of(ids)).values())
        tasks = await self._repository.tasks_of(ids)
        checks = tasks.get(TaskKind.CHECK.value, _NONE)
        verifications = tasks.get(TaskKind.VERIFICATION.value, _NONE)
        return WorkCounts(
            reported=reports.reported,
            valid=reports.valid,
            validity_rate=_share(reports.valid, reports.reported),
            checks=checks.issued,
            checks_in_time=checks.in_time,
            check_rate=_share(checks.in_time, checks.ended),
            verifications=verifications.issued,
            verifications_in_time=verifications.in_time,
            verification_rate=_share(verifications.in_time, verifications.ended),
        )

    async def _reports(
        self, logins: Collection[str], figure: ReportFigure, page: PageRequest
    ) -> Page[ReportView]:
        known = await self._repository.account_ids(logins)
        ids = [id_ for each in known.values() for id_ in each]
        rows = await self._repository.reports_page(ids, figure, page)
        return page_of(rows, page, _report_key, ReportView.model_validate)

    def _person(self, login: str, role: Role) -> Person:
        for person in self._pack.people_with(role):
            if person.login == login:
                return person
        raise PersonUnknown(f"Nobody with the account name '{login}' is {role.value} in this city.")


def _missed_key(found: FoundByOthers) -> tuple[str]:
    return (str(found.report_id),)


def _duty(duty: Duty, counts: DutyCounts) -> DutyView:
    right = counts.done - counts.wrong
    return DutyView(
        duty=duty,
        done=counts.done,
        right=right,
        accuracy_rate=_share(right, counts.done),
        in_time_rate=_share(counts.in_time, counts.timed),
    )


def _report_key(row: ReportFacts) -> tuple[object, ...]:
    return row.received_at, row.report_id


def _task_key(row: TaskFacts) -> tuple[object, ...]:
    return row.issued_at, row.task_id, row.attempt


def _stage_key(row: StageFactsRow) -> tuple[object, ...]:
    return row.ended_at, row.case_id, row.ordinal


def _sum(counts: Iterable[ReportCounts | None]) -> ReportCounts:
    known = [item for item in counts if item is not None]
    return ReportCounts(sum(item.reported for item in known), sum(item.valid for item in known))


def _share(part: int, whole: int) -> float | None:
    exact = rounded(rate(part, whole))
    return None if exact is None else float(exact)
