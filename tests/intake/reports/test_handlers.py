"""Hotline tickets become reports, whatever is told twice or in another order."""

from typing import Any
from uuid import uuid4

from shared.events.dispatch import (
    CaseClosed,
    CaseDispatched,
    CaseOpened,
    CaseVoided,
    DeferralDecided,
)
from shared.events.hotline import (
    AppealKind,
    EmergencyRaised,
    TicketSubmitted,
    TicketWithdrawn,
    Urgency,
)
from shared.events.intake import ReportReceived, ReportRejected
from shared.events.vocabulary import (
    ClassRef,
    ClockReading,
    DispatchReason,
    LimitRef,
    Place,
    Source,
)
from shared.ids import uuid7

COVER = ClassRef(scheme="GB/T 47678.5-2026", kind="component", code="01001")
ADDRESS = Place(address="西津西路 100 号")


def ticket(**changes: Any) -> TicketSubmitted:
    return TicketSubmitted(
        **{
            "number": "H2026060100001",
            "caller_id": uuid4(),
            "appeal_kind": AppealKind.COMPLAINT,
            "class_ref": COVER,
            "description": "楼下井盖坏了",
            "place": ADDRESS,
            "urgency": Urgency.ROUTINE,
            "confidential": True,
            "agent": "agent-1",
            **changes,
        }
    )


async def the_report(intake: Any) -> Any:
    [item] = (await intake.operator.get("/reports")).json()["items"]
    return await intake.read(item["id"])


async def test_a_ticket_becomes_one_report_even_if_told_under_two_ids(intake: Any) -> None:
    subject, submitted = uuid4(), ticket()
    await intake.sut.deliver(submitted, subject=subject)
    await intake.sut.deliver(submitted, subject=subject)
    report = await the_report(intake)
    assert report["source"] == "hotline"
    assert report["ticket_id"] == str(subject)
    assert report["reporter_id"] == str(submitted.caller_id)
    assert report["confidential"] is True
    assert report["needs_place"] is True
    assert len(await intake.told(ReportReceived)) == 1
    assert await intake.sut.held() == []


async def test_a_ticket_with_an_impossible_place_or_class_is_kept_for_correction(
    intake: Any,
) -> None:
    elsewhere = Place(longitude=116.39, latitude=39.9)
    unknown = ClassRef(scheme="X", kind="event", code="1")
    await intake.sut.deliver(ticket(place=elsewhere, class_ref=unknown), subject=uuid4())
    report = await the_report(intake)
    assert report["class_ref"] is None
    assert report["needs_place"] is True
    body = {"class_ref": COVER.model_dump(mode="json"), "condition": "B01001-3"}
    refused = await intake.act(report["id"], "registration", **body)
    assert refused.json()["code"] == "place-needed"
    named = await intake.act(
        report["id"],
        "registration",
        **body,
        place={"longitude": None, "latitude": None, "grid": "620103001001001"},
    )
    assert named.status_code == 200, named.text


async def test_urgent_tickets_and_emergencies_are_flagged(intake: Any) -> None:
    await intake.sut.deliver(ticket(urgency=Urgency.URGENT), subject=uuid4())
    report = await the_report(intake)
    assert (report["urgent"], report["emergency"]) == (True, False)


async def test_an_emergency_goes_past_its_ticket(intake: Any) -> None:
    subject = uuid4()
    raised = EmergencyRaised(number="H1", description="路面塌陷", place=ADDRESS)
    await intake.sut.deliver(raised, subject=subject)
    report = await the_report(intake)
    assert (report["emergency"], report["urgent"]) == (True, True)
    await intake.sut.deliver(ticket(), subject=subject)
    completed = await the_report(intake)
    assert completed["id"] == report["id"]
    assert completed["description"] == "楼下井盖坏了"
    assert completed["class_ref"]["code"] == "01001"
    assert completed["emergency"] is True


async def test_an_emergency_raised_later_marks_the_report(intake: Any) -> None:
    subject = uuid4()
    await intake.sut.deliver(ticket(), subject=subject)
    assert (await the_report(intake))["emergency"] is False
    raised = EmergencyRaised(number="H1", description="路面塌陷", place=ADDRESS)
    await intake.sut.deliver(raised, subject=subject)
    report = await the_report(intake)
    assert (report["emergency"], report["urgent"]) == (True, True)


async def test_the_facts_of_a_ticket_are_applied_in_their_order(intake: Any) -> None:
    subject = uuid4()
    withdrawn = TicketWithdrawn(number="H1", reason="已自行解决")
    await intake.sut.deliver(withdrawn, subject=subject, sequence=2)
    assert (await intake.operator.get("/reports")).json()["items"] == []
    await intake.sut.deliver(ticket(), subject=subject, sequence=1)
    report = await the_report(intake)
    assert report["state"] == "rejected"
    assert report["decision"]["reason_code"] == "withdrawn-by-reporter"
    assert len(await intake.told(ReportRejected)) == 1


async def test_reporters_follow_the_case_until_it_is_closed(intake: Any) -> None:
    report = await intake.case()
    case_id = report["case"]["id"]
    clock = ClockReading(assignment=1, unit="x", limit_seconds=1, used_seconds=1, due_at=None)
    now = intake.clock.now()
    facts = [
        (
            CaseOpened(
                number="1",
                report_id=report["id"],
                source=Source.COLLECTOR,
                class_ref=COVER,
                condition="B01001-3",
                place=ADDRESS,
                urgent=False,
                special=False,
                registered_at=now,
                dispatch_due_at=None,
            ),
            "opened",
        ),
        (
            CaseDispatched(
                number="1",
                assignment=1,
                unit="x",
                reason=DispatchReason.FIRST,
                condition="B01001-3",
                standard="s",
                limit=LimitRef(amount="4", kind="working-hours"),
                limit_seconds=1,
                due_at=now,
                warn_at=now,
            ),
            "dispatched",
        ),
        (
            DeferralDecided(
                request_id=uuid4(),
                assignment=1,
                unit="x",
                granted=False,
                reason="r",
                clock=clock,
                until=now,
            ),
            "dispatched",
        ),
        (
            CaseClosed(
                number="1",
                outcome="resolved",
                conclusion="已修好",
                unit="x",
                assignments=1,
                closed_at=now,
                clock=clock,
            ),
            "closed",
        ),
    ]
    for fact, state in facts:
        await intake.sut.deliver(fact, subject=case_id)
        assert (await intake.read(report["id"]))["case"]["state"] == state
    assert (await intake.read(report["id"]))["case"]["conclusion"] == "已修好"


async def test_facts_about_cases_of_others_are_stepped_over(intake: Any) -> None:
    voided = CaseVoided(number="1", reason="r", approved_by="x")
    await intake.sut.deliver(voided, subject=uuid7())
    assert await intake.sut.held() == []
