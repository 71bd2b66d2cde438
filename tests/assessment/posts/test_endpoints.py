"""People see their own figures, the shift leader sees everybody's, and nobody is ranked."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.assessment.facts.service import keep_up
from shared.events import hotline, intake
from shared.events.identity import AccountChanged
from shared.events.vocabulary import DispatchReason, Finding, Place, Source, TaskKind
from shared.ids import uuid7
from shared.testing import ServiceUnderTest
from shared.vocabulary import Role

MORNING = datetime.fromisoformat("2026-05-11T01:00:00+00:00")
ACCOUNT = UUID("0190a000-0000-7000-8000-000000000001")


async def _account(sut: ServiceUnderTest, login: str, role: str, unit: str) -> None:
    changed = AccountChanged(login=login, roles=(role,), unit=unit, active=True)
    await sut.deliver(changed, subject=ACCOUNT)


async def _task(
    sut: ServiceUnderTest, kind: TaskKind, *, collector: str, in_time: bool | None
) -> None:
    """A task that is completed in time or late, or expires when `in_time` is None."""
    task = uuid7()
    issued = intake.TaskIssued(
        kind=kind, round=1, collector=collector, due_at=None, attempt=1, report_id=uuid7()
    )
    await sut.deliver(issued, subject=task, at=MORNING)
    if in_time is None:
        ended: Any = intake.TaskExpired(
            kind=kind, collector=collector, attempt=1, expired_at=MORNING
        )
    else:
        ended = intake.TaskCompleted(
            kind=kind,
            round=1,
            collector=collector,
            finding=Finding.CONFIRMED,
            in_time=in_time,
            completed_at=MORNING + timedelta(minutes=30),
        )
    await sut.deliver(ended, subject=task, at=MORNING)


@pytest.fixture
async def collector_month(sut: ServiceUnderTest, tell: Any, teller: Any) -> list[str]:
    """A month of collector01: three reports, tasks of both kinds, one patrol, one thing missed."""
    await _account(sut, "collector01", "collector", "collection-anlan")
    own = sorted(sut.runtime.pack.person("collector01").grids)
    reporter = str(ACCOUNT)
    await tell(
        teller().received(reporter=reporter).registered(reporter=reporter),
        teller().received(reporter=reporter).rejected(),
        teller().received(reporter="collector01"),
        teller(at=MORNING - timedelta(days=20)).received(reporter=reporter),
        teller(at=MORNING + timedelta(hours=5))
        .received(source=Source.WEB)
        .registered(source=Source.WEB),
        teller(at=MORNING + timedelta(days=2))
        .received(source=Source.WEB)
        .registered(source=Source.WEB),
    )
    for in_time in (True, True, False, None):
        await _task(sut, TaskKind.VERIFICATION, collector="collector01", in_time=in_time)
    await _task(sut, TaskKind.CHECK, collector="collector01", in_time=True)
    await _task(sut, TaskKind.CHECK, collector="collector02", in_time=True)
    patrol = intake.PatrolRecorded(
        collector="collector01",
        started_at=MORNING,
        ended_at=MORNING + timedelta(hours=3),
        grids=(own[0], "620103001001001"),
    )
    await sut.deliver(patrol, subject=uuid7())
    return own


async def test_a_collector_sees_the_own_month(
    sut: ServiceUnderTest, collector_month: list[str]
) -> None:
    async with sut.client(Role.COLLECTOR, login="collector01") as collector:
        figures = (await collector.get("/collectors/collector01/2026-05")).json()

    assert (figures["reported"], figures["valid"]) == (3, 1)
    assert figures["validity_rate"] == 0.333333
    assert (figures["verifications"], figures["verifications_in_time"]) == (4, 2)
    assert figures["verification_rate"] == 0.5
    assert (figures["checks"], figures["check_rate"]) == (1, 1)
    assert figures["grids_assigned"] == len(collector_month)
    patrolled = len({collector_month[0], "620103001001001"} & set(collector_month))
    assert figures["grids_covered"] == patrolled
    assert figures["missed"] == 1
    assert "rank" not in figures


@pytest.mark.parametrize(
    ("figure", "count"), [("reported", 3), ("valid", 1), ("rejected", 1), ("merged", 0)]
)
async def test_the_reports_behind_a_collectors_figures_are_listed(
    sut: ServiceUnderTest, collector_month: list[str], figure: str, count: int
) -> None:
    seen: list[str] = []
    params: dict[str, Any] = {"figure": figure, "limit": 1}
    async with sut.client(Role.SHIFT_LEADER) as leader:
        while True:
            answer = await leader.get("/collectors/collector01/2026-05/reports", params=params)
            page = answer.json()
            seen += [item["report_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]

    assert len(seen) == len(set(seen)) == count


@pytest.mark.parametrize(
    ("figure", "count"), [("issued", 5), ("in-time", 3), ("late", 1), ("expired", 1)]
)
async def test_the_tasks_behind_a_collectors_figures_are_listed(
    sut: ServiceUnderTest, collector_month: list[str], figure: str, count: int
) -> None:
    async with sut.client(Role.COLLECTOR, login="collector01") as collector:
        page = await collector.get(
            "/collectors/collector01/2026-05/tasks", params={"figure": figure}
        )

    assert len(page.json()["items"]) == count


async def test_nobody_sees_another_ones_figures(sut: ServiceUnderTest) -> None:
    async with (
        sut.client(Role.COLLECTOR, login="collector02") as other,
        sut.client(Role.AGENT, login="agent02") as agent,
        sut.client(Role.SUPERVISOR) as supervisor,
        sut.client() as nobody,
    ):
        refused = await other.get("/collectors/collector01/2026-05")
        assert (refused.status_code, refused.json()["code"]) == (404, "person-unknown")
        for below in ("reports", "tasks"):
            answer = await other.get(f"/collectors/collector01/2026-05/{below}")
            assert answer.status_code == 404
        assert (await agent.get("/agents/agent01/2026-05")).status_code == 404
        assert (await supervisor.get("/collectors/collector01/2026-05")).status_code == 403
        assert (await nobody.get("/collectors/collector01/2026-05")).status_code == 401


async def test_the_shift_leader_is_told_of_unknown_people_and_periods(
    sut: ServiceUnderTest,
) -> None:
    async with sut.client(Role.SHIFT_LEADER) as leader:
        unknown = await leader.get("/collectors/agent01/2026-05")
        unreadable = await leader.get("/collectors/collector01/May")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "person-unknown")
    assert (unreadable.status_code, unreadable.json()["code"]) == (422, "period-unreadable")


async def test_a_company_is_the_sum_of_its_collectors(
    sut: ServiceUnderTest, collector_month: list[str]
) -> None:
    params = {"period": "2026-05"}
    async with (
        sut.client(Role.LEADER) as leader,
        sut.client(Role.COLLECTION_COMPANY, unit="collection-jincheng") as jincheng,
        sut.client(Role.COLLECTION_COMPANY) as unbound,
    ):
        companies = (await leader.get("/collection-companies", params=params)).json()
        own = (await jincheng.get("/collection-companies", params=params)).json()
        foreign = await jincheng.get("/collection-companies/collection-anlan/2026-05/reports")
        reports = await leader.get("/collection-companies/collection-anlan/2026-05/reports")
        no_company = await leader.get("/collection-companies/water/2026-05/reports")
        nothing = await unbound.get("/collection-companies", params=params)

    by_code = {company["company"]: company for company in companies}
    assert (by_code["collection-anlan"]["reported"], by_code["collection-anlan"]["valid"]) == (3, 1)
    assert by_code["collection-anlan"]["checks"] >= 1
    assert by_code["collection-jincheng"]["reported"] == 0
    assert [company["company"] for company in own] == ["collection-jincheng"]
    assert foreign.status_code == no_company.status_code == nothing.status_code == 404
    assert len(reports.json()["items"]) == 3


async def test_grid_leaders_are_counted_not_ranked(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    await _account(sut, "grid.xiyuan", "grid-leader", "street-xiyuan")
    reporter = str(ACCOUNT)
    await tell(
        teller()
        .received(reporter=reporter, source=Source.GRID_LEADER)
        .registered(reporter=reporter, source=Source.GRID_LEADER),
        teller().received(reporter=reporter, source=Source.GRID_LEADER),
    )
    async with (
        sut.client(Role.SHIFT_LEADER) as shift_leader,
        sut.client(Role.LEADER) as leader,
        sut.client(Role.GRID_LEADER, login="grid.xiyuan") as own,
        sut.client(Role.GRID_LEADER, login="grid.xihu") as other,
    ):
        params = {"period": "2026-Q2"}
        everyone = (await shift_leader.get("/grid-leaders", params=params)).json()
        refused = await leader.get("/grid-leaders", params=params)
        together = (await leader.get("/grid-leader-reports/2026-Q2")).json()
        behind = await own.get("/grid-leaders/grid.xiyuan/2026-Q2/reports")
        mine = (await own.get("/grid-leaders", params=params)).json()
        theirs = (await other.get("/grid-leaders", params=params)).json()

    assert [item["login"] for item in everyone] == sorted(item["login"] for item in everyone)
    assert mine == [item for item in everyone if item["login"] == "grid.xiyuan"]
    assert (mine[0]["reported"], mine[0]["valid"], mine[0]["validity_rate"]) == (2, 1, 0.5)
    assert [item["reported"] for item in theirs] == [0]
    assert refused.status_code == 403
    assert (together["reported"], together["valid"], together["validity_rate"]) == (2, 1, 0.5)
    assert together["leaders"] == len(everyone)
    assert "login" not in str(together)
    assert len(behind.json()["items"]) == 2


async def test_the_hotline_and_its_agents_are_counted(sut: ServiceUnderTest) -> None:
    await _account(sut, "agent01", "agent", "centre")
    agent = str(ACCOUNT)
    for seconds_to_answer, direction in (
        (5, "inbound"),
        (20, "inbound"),
        (None, "inbound"),
        (3, "outbound"),
    ):
        call = hotline.CallEnded(
            direction=direction,
            agent=agent,
            seconds_to_answer=seconds_to_answer,
            seconds=60,
            outcome="none",
        )
        await sut.deliver(call, subject=uuid7(), at=MORNING)
    answered = hotline.TicketAnswered(
        number="H1", appeal_kind=hotline.AppealKind.INQUIRY, agent=agent
    )
    await sut.deliver(answered, subject=uuid7(), at=MORNING)
    submitted = uuid7()
    await sut.deliver(
        hotline.TicketSubmitted(
            number="H2",
            appeal_kind=hotline.AppealKind.COMPLAINT,
            description="噪声",
            place=Place(),
            urgency=hotline.Urgency.ROUTINE,
            confidential=False,
            agent=agent,
        ),
        subject=submitted,
        at=MORNING,
    )
    for outcome, satisfaction in (
        (hotline.CallbackOutcome.NOT_REACHED, None),
        (hotline.CallbackOutcome.REACHED, hotline.Satisfaction.DISSATISFIED),
        (hotline.CallbackOutcome.REACHED, hotline.Satisfaction.BASICALLY),
    ):
        called_back = hotline.CallbackCompleted(
            number="H2", outcome=outcome, satisfaction=satisfaction, attempt=1, agent=agent
        )
        await sut.deliver(called_back, subject=submitted, at=MORNING)
    async with (
        sut.client(Role.AGENT, login="agent01") as own,
        sut.client(Role.SUPERVISOR) as supervisor,
    ):
        figures = (await own.get("/agents/agent01/2026-05")).json()
        city = (await supervisor.get("/hotline/2026-05")).json()
        forbidden = await own.get("/hotline/2026-05")
        calls = (await own.get("/agents/agent01/2026-05/calls", params={"limit": 200})).json()
        submitted_tickets = await own.get(
            "/agents/agent01/2026-05/tickets", params={"outcome": "submitted"}
        )
        called_back_list = (await own.get("/agents/agent01/2026-05/callbacks")).json()

    assert len(calls["items"]) == 4
    assert [item["ticket_id"] for item in submitted_tickets.json()["items"]] == [str(submitted)]
    assert [item["satisfaction"] for item in called_back_list["items"]] == [
        None,
        "dissatisfied",
        "basically-satisfied",
    ]
    assert (figures["calls"], figures["answered"], figures["answered_in_time"]) == (4, 3, 2)
    assert figures["mean_seconds_to_answer"] == 9.333
    assert (figures["handled_at_once"], figures["submitted"], figures["referred"]) == (1, 1, 0)
    assert (figures["callbacks"], figures["reached"], figures["satisfaction_rate"]) == (3, 2, 0.5)
    assert (city["inbound"], city["answered"], city["connection_rate"]) == (3, 2, 0.666667)
    assert (city["answered_in_time"], city["rated"], city["satisfied"]) == (1, 2, 1)
    assert forbidden.status_code == 403


async def test_posts_are_measured_by_stage_without_names(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    slow = teller().received().registered().opened().dispatched("water", minutes=45)
    await tell(teller().settled("water"), slow)
    async with sut.client(Role.SHIFT_LEADER) as leader, sut.client(Role.HANDLER) as handler:
        answer = (await leader.get("/posts/2026-05")).json()
        late = await leader.get(
            "/posts/2026-05/stages", params={"stage": "dispatch", "kept": False}
        )
        by_post = await leader.get(
            "/posts/2026-05/stages", params={"stage": "dispatch", "post": "dispatcher", "limit": 1}
        )
        bad = await leader.get("/posts/2026-05/stages", params={"stage": "tea"})
        forbidden = await handler.get("/posts/2026-05")

    posts = {(item["stage"], item["post"]): item for item in answer["posts"]}
    dispatch = posts["dispatch", "dispatcher"]
    assert (dispatch["stages"], dispatch["kept"], dispatch["kept_rate"]) == (2, 1, 0.5)
    assert (dispatch["mean_seconds"], dispatch["longest_seconds"]) == (1_500, 45 * 60)
    assert posts["verification", "collector"]["kept_rate"] == 1
    assert [item["case_id"] for item in late.json()["items"]] == [str(slow.case_id)]
    assert by_post.json()["next_cursor"] is not None
    assert (bad.status_code, forbidden.status_code) == (422, 403)
    assert "actor" not in late.text


async def test_what_is_told_of_a_coordination_takes_its_time_out_of_a_post_that_had_it(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    """Told after the case itself, and seen again after everything was folded anew."""
    story = teller().received().registered().opened().heard(600, "settled", before=20)
    story.dispatched("water", minutes=10)
    hearing = [item for item in story.envelopes if ".coordination." in item.type]
    await tell(*[item for item in story.envelopes if item not in hearing])

    before = await _dispatch_post(sut)
    await tell(*reversed(hearing))
    after = await _dispatch_post(sut)
    async with sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        assert (await administrator.post("/rebuild")).status_code == 202
    await keep_up(sut.runtime)
    again = await _dispatch_post(sut)

    assert (before["stages"], before["kept"]) == (1, 0)
    assert (after["stages"], after["kept"], after["longest_seconds"]) == (2, 2, 20 * 60)
    assert again == after


async def _dispatch_post(sut: ServiceUnderTest) -> dict[str, Any]:
    async with sut.client(Role.SHIFT_LEADER) as leader:
        posts = (await leader.get("/posts/2026-05")).json()["posts"]
    (found,) = (
        item for item in posts if (item["stage"], item["post"]) == ("dispatch", "dispatcher")
    )
    return dict(found)


async def test_what_a_collector_missed_is_listed(
    sut: ServiceUnderTest, collector_month: list[str]
) -> None:
    async with sut.client(Role.COLLECTOR, login="collector01") as collector:
        page = (await collector.get("/collectors/collector01/2026-05/missed")).json()

    assert [item["grid"] for item in page["items"]] == ["620103001001001"]
    assert page["items"][0]["case_id"] is not None


async def test_posts_are_told_how_often_a_decision_had_to_be_taken_back(
    sut: ServiceUnderTest, tell: Any, teller: Any
) -> None:
    """Six reports decided, two wrongly; five registrations, one wrong; one dispatch of three."""
    right = teller().received().registered().opened().dispatched("water")
    voided = teller().received().registered().opened().voided()
    rejected = teller().received().rejected()
    taken_back = teller().received().rejected().registered().opened()
    sent_on = teller().received().registered().opened().dispatched("water")
    sent_on.return_decided(granted=True).dispatched("transport", DispatchReason.AFTER_RETURN)
    late = teller().received().registered(minutes=31).opened()
    by_rule = teller().received().registered(by_rule="trusted").opened()
    await tell(right, voided, rejected, taken_back, sent_on, late, by_rule)
    async with sut.client(Role.DISPATCHER) as dispatcher, sut.client(Role.HANDLER) as handler:
        posts = (await dispatcher.get("/posts/2026-05")).json()
        wrong = {
            duty: await listed(dispatcher, "/posts/2026-05/wrong", {"duty": duty})
            for duty in ("reception", "registration", "dispatch")
        }
        forbidden = await handler.get("/posts/2026-05/wrong", params={"duty": "dispatch"})

    duties = {item["duty"]: item for item in posts["duties"]}
    assert (duties["reception"]["done"], duties["reception"]["right"]) == (6, 4)
    assert duties["reception"]["in_time_rate"] == 0.833333
    assert (duties["registration"]["done"], duties["registration"]["right"]) == (5, 4)
    assert duties["registration"]["accuracy_rate"] == 0.8
    assert (duties["dispatch"]["done"], duties["dispatch"]["accuracy_rate"]) == (3, 0.666667)
    assert {item["report_id"] for item in wrong["reception"]} == {
        str(voided.report_id),
        str(taken_back.report_id),
    }
    assert [item["case_id"] for item in wrong["registration"]] == [str(voided.case_id)]
    assert [(item["case_id"], item["unit"]) for item in wrong["dispatch"]] == [
        (str(sent_on.case_id), "water")
    ]
    assert forbidden.status_code == 403


async def listed(client: Any, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    params = {**params, "limit": 1}
    while True:
        page = (await client.get(path, params=params)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


PERSONAL = {
    "/collectors/collector01/2026-05": (Role.COLLECTOR, "collector01"),
    "/collectors/collector01/2026-05/reports": (Role.COLLECTOR, "collector01"),
    "/collectors/collector01/2026-05/tasks": (Role.COLLECTOR, "collector01"),
    "/collectors/collector01/2026-05/missed": (Role.COLLECTOR, "collector01"),
    "/grid-leaders/grid.xiyuan/2026-05/reports": (Role.GRID_LEADER, "grid.xiyuan"),
    "/agents/agent01/2026-05": (Role.AGENT, "agent01"),
    "/agents/agent01/2026-05/calls": (Role.AGENT, "agent01"),
    "/agents/agent01/2026-05/tickets": (Role.AGENT, "agent01"),
    "/agents/agent01/2026-05/callbacks": (Role.AGENT, "agent01"),
}


async def test_figures_of_a_person_are_for_that_person_and_the_shift_leader_alone(
    sut: ServiceUnderTest,
) -> None:
    """Every role, and the same role of somebody else; also leaders and the own company."""
    seen: set[tuple[str, str]] = set()
    for role in Role:
        async with sut.client(role, login="somebody.else", unit="collection-anlan") as client:
            for path in PERSONAL:
                if (await client.get(path)).status_code == 200:
                    seen.add((role.value, path))
    assert seen == {(Role.SHIFT_LEADER.value, path) for path in PERSONAL}

    for path, (role, login) in PERSONAL.items():
        async with sut.client(role, login=login) as own:
            assert (await own.get(path)).status_code == 200, path


def test_no_route_lists_people_side_by_side_but_the_shift_leaders_list_of_grid_leaders() -> None:
    """A path that holds figures of people names one of them; there is nothing to rank."""
    schema = service_schema()
    people = ("CollectorView", "AgentView", "GridLeaderView")
    lists = [
        path
        for path, methods in schema["paths"].items()
        for view in people
        if f"'items': {{'$ref': '#/components/schemas/{view}'}}" in str(methods)
    ]

    assert [path.rpartition("/")[2] for path in lists] == ["grid-leaders"]
    for view in (*people, "CompanyView", "GridLeadersSumView"):
        properties = schema["components"]["schemas"][view]["properties"]
        assert not {"rank", "score", "points", "position"} & set(properties)


def service_schema() -> Any:
    return json.loads((Path(__file__).parents[3] / "docs/openapi/assessment.json").read_text())
