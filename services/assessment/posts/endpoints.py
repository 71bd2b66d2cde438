"""Counts of collectors, companies, grid leaders, agents and posts, with what is behind them."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from services.assessment.facts.endpoints import UpToDate
from services.assessment.facts.schemas import StageView
from services.assessment.fieldwork.domain import TicketOutcome
from services.assessment.posts.auth import (
    AgentReader,
    CollectorReader,
    CompanyReader,
    GridLeaderReader,
    GridLeadersSumReader,
    PostReader,
    check_own,
    own_company,
    own_login,
)
from services.assessment.posts.domain import Duty
from services.assessment.posts.errors import CompanyUnknown
from services.assessment.posts.schemas import (
    AgentView,
    CallbackView,
    CallView,
    CollectorView,
    CompanyView,
    GridLeadersSumView,
    GridLeaderView,
    HotlineView,
    MissedView,
    PostsView,
    ReportFigure,
    ReportView,
    TaskFigure,
    TaskView,
    TicketView,
    WrongView,
)
from services.assessment.posts.service import PostService
from shared.pack.model import Stage
from shared.web.paging import Page, PageRequest, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep

router = APIRouter(tags=["posts"], route_class=CommandRoute)

PeriodPath = Annotated[str, Path(max_length=10, description="2026-05, 2026-Q2 or 2026")]
PeriodQuery = Annotated[str, Query(max_length=10, description="2026-05, 2026-Q2 or 2026")]
Login = Annotated[str, Path(max_length=80, examples=["collector01"])]
PageDep = Annotated[PageRequest, Depends(page_request)]


async def _posts_in(session: ReadSessionDep, runtime: RuntimeDep) -> Callable[[str], PostService]:
    return partial(PostService, session, runtime.pack)


PostsIn = Annotated[Callable[[str], PostService], Depends(_posts_in)]
"""Gives the figures of a period."""


@router.get("/collectors/{login}/{period}")
async def collector(
    *,
    login: Login,
    principal: CollectorReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
) -> CollectorView:
    """A collector's own figures, for that person and the shift leader."""
    check_own(principal, login)
    return await posts_in(period).collector(login)


@router.get("/collectors/{login}/{period}/reports")
async def collector_reports(
    *,
    login: Login,
    principal: CollectorReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    figure: Annotated[ReportFigure, Query()] = ReportFigure.REPORTED,
) -> Page[ReportView]:
    """The reports behind a collector's figure."""
    check_own(principal, login)
    return await posts_in(period).collector_reports(login, figure, page)


@router.get("/collectors/{login}/{period}/tasks")
async def collector_tasks(
    *,
    login: Login,
    principal: CollectorReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    figure: Annotated[TaskFigure, Query()] = TaskFigure.ISSUED,
) -> Page[TaskView]:
    """The field tasks behind a collector's figure."""
    check_own(principal, login)
    return await posts_in(period).collector_tasks(login, figure, page)


@router.get("/collectors/{login}/{period}/missed")
async def collector_missed(
    *,
    login: Login,
    principal: CollectorReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
) -> Page[MissedView]:
    """What others found first in a grid on a day on which the collector patrolled it."""
    check_own(principal, login)
    return await posts_in(period).collector_missed(login, page)


@router.get("/collection-companies")
async def companies(
    *, principal: CompanyReader, _folded: UpToDate, period: PeriodQuery, posts_in: PostsIn
) -> list[CompanyView]:
    """Collection companies by the sum of their collectors; a company sees itself."""
    return await posts_in(period).companies(own_company(principal))


@router.get("/collection-companies/{company}/{period}/reports")
async def company_reports(
    *,
    company: Annotated[str, Path(max_length=80)],
    principal: CompanyReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    figure: Annotated[ReportFigure, Query()] = ReportFigure.REPORTED,
) -> Page[ReportView]:
    """The reports behind a company's figure."""
    if own_company(principal) not in (None, company):
        raise CompanyUnknown("You see your own company only.")
    return await posts_in(period).company_reports(company, figure, page)


@router.get("/grid-leaders")
async def grid_leaders(
    *, principal: GridLeaderReader, _folded: UpToDate, period: PeriodQuery, posts_in: PostsIn
) -> list[GridLeaderView]:
    """Grid leaders and courtyard heads see their own line, the shift leader sees every one."""
    return await posts_in(period).grid_leaders(own_login(principal))


@router.get("/grid-leaders/{login}/{period}/reports")
async def grid_leader_reports(
    *,
    login: Login,
    principal: GridLeaderReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    figure: Annotated[ReportFigure, Query()] = ReportFigure.REPORTED,
) -> Page[ReportView]:
    """The reports behind a grid leader's figure."""
    check_own(principal, login)
    return await posts_in(period).grid_leader_reports(login, figure, page)


@router.get("/grid-leader-reports/{period}")
async def grid_leaders_sum(
    *, _reader: GridLeadersSumReader, _folded: UpToDate, period: PeriodPath, posts_in: PostsIn
) -> GridLeadersSumView:
    """All grid leaders and courtyard heads together; nobody's name is in it."""
    return await posts_in(period).grid_leaders_sum()


@router.get("/agents/{login}/{period}")
async def agent(
    *,
    login: Login,
    principal: AgentReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
) -> AgentView:
    """An agent's own figures, for that person and the shift leader."""
    check_own(principal, login)
    return await posts_in(period).agent(login)


@router.get("/agents/{login}/{period}/calls")
async def agent_calls(
    *,
    login: Login,
    principal: AgentReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
) -> Page[CallView]:
    """The calls behind an agent's figures."""
    check_own(principal, login)
    return await posts_in(period).agent_calls(login, page)


@router.get("/agents/{login}/{period}/tickets")
async def agent_tickets(
    *,
    login: Login,
    principal: AgentReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    outcome: Annotated[TicketOutcome | None, Query(description="all when not given")] = None,
) -> Page[TicketView]:
    """The tickets behind an agent's figures."""
    check_own(principal, login)
    return await posts_in(period).agent_tickets(login, outcome, page)


@router.get("/agents/{login}/{period}/callbacks")
async def agent_callbacks(
    *,
    login: Login,
    principal: AgentReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
) -> Page[CallbackView]:
    """The call-backs behind an agent's figures."""
    check_own(principal, login)
    return await posts_in(period).agent_callbacks(login, page)


@router.get("/hotline/{period}")
async def hotline(
    *, _reader: PostReader, _folded: UpToDate, period: PeriodPath, posts_in: PostsIn
) -> HotlineView:
    """The hotline as a whole, by the figures of GB/T 33358."""
    return await posts_in(period).hotline()


@router.get("/posts/{period}")
async def posts(
    *, _reader: PostReader, _folded: UpToDate, period: PeriodPath, posts_in: PostsIn
) -> PostsView:
    """How the posts kept the limits of their stages; nobody's name is in it."""
    return await posts_in(period).posts()


@router.get("/posts/{period}/stages")
async def stages(
    *,
    _reader: PostReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    stage: Annotated[Stage, Query()],
    post: Annotated[str | None, Query(max_length=40)] = None,
    kept: Annotated[bool | None, Query(description="within the limit or not")] = None,
) -> Page[StageView]:
    """The cases behind a post's figure."""
    return await posts_in(period).stages(stage.value, post, page, kept=kept)


@router.get("/posts/{period}/wrong")
async def wrong(
    *,
    _reader: PostReader,
    _folded: UpToDate,
    period: PeriodPath,
    posts_in: PostsIn,
    page: PageDep,
    duty: Annotated[Duty, Query()],
) -> Page[WrongView]:
    """The decisions that had to be taken back, behind an accuracy rate."""
    return await posts_in(period).wrong(duty, page)
