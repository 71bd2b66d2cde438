"""A marked emergency is a case at once, whatever is missing; papers follow."""

from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from services.intake.registration.domain import accepted_by_rule, nature
from services.intake.reports.domain import Draft
from shared.events.hotline import AppealKind, EmergencyRaised, TicketSubmitted, Urgency
from shared.events.intake import EMERGENCY_RULE, ReportReceived, ReportRegistered
from shared.events.vocabulary import ClassRef, Place, Source
from shared.pack.model import CityPack
from shared.vocabulary import ClassKind

COVER = ClassRef(scheme="GB/T 47678.5-2026", kind=ClassKind.COMPONENT, code="01001")
ADDRESS = Place(address="西津西路 100 号")
AGENT = "agent-7"


def ticket(**given: Any) -> TicketSubmitted:
    return TicketSubmitted(
        **{
            "number": "H1",
            "appeal_kind": AppealKind.HELP,
            "description": "路面塌陷",
            "place": ADDRESS,
            "urgency": Urgency.EMERGENCY,
            "confidential": False,
            "agent": AGENT,
            **given,
        }
    )


async def registered(intake: Any) -> dict[str, Any]:
    (fact,) = await intake.told(ReportRegistered)
    return dict(fact)


async def test_an_emergency_call_has_a_case_number_at_once(intake: Any, qilihe: CityPack) -> None:
    await intake.sut.deliver(ticket(direct_unit="water"), subject=uuid4())

    fact = await registered(intake)
    assert fact["by_rule"] == EMERGENCY_RULE
    assert (fact["condition"], fact["class_assumed"]) == (
        qilihe.emergencies.default_condition, True,
    )  # fmt: skip
    assert (fact["emergency"], fact["urgent"]) == (True, True)
    assert (fact["direct_unit"], fact["direct_by"]) == ("water", AGENT)
    (received,) = await intake.sut.told(ReportReceived)
    assert received.data["emergency"] is True
    report = (await intake.operator.get(f"/reports/{received.subject}")).json()
    assert (report["state"], report["case"]["number"]) == ("registered", fact["case_number"])


async def test_the_class_that_was_named_stays_with_its_urgent_condition(
    intake: Any, qilihe: CityPack
) -> None:
    await intake.sut.deliver(ticket(class_ref=COVER), subject=uuid4())
    fact = await registered(intake)
    assert fact["class_ref"]["code"] == "01001"
    assert qilihe.condition(fact["condition"]).urgent
    assert fact["class_assumed"] is True, "nobody has named the condition"


async def test_an_emergency_whose_ticket_comes_later_waits_for_it(intake: Any) -> None:
    subject = uuid4()
    raised = EmergencyRaised(number="H1", description="路面塌陷", place=ADDRESS)
    await intake.sut.deliver(raised, subject=subject)
    assert await intake.told(ReportRegistered) == []
    await intake.sut.deliver(ticket(class_ref=COVER, direct_unit="water"), subject=subject)
    fact = await registered(intake)
    assert (fact["class_ref"]["code"], fact["direct_unit"]) == ("01001", "water")


async def test_a_report_that_turns_out_an_emergency_is_registered_then_and_once(
    intake: Any,
) -> None:
    subject = uuid4()
    await intake.sut.deliver(ticket(urgency=Urgency.ROUTINE), subject=subject)
    assert await intake.told(ReportRegistered) == []
    raised = EmergencyRaised(number="H1", description="路面塌陷", place=ADDRESS)
    for _ in range(2):
        await intake.sut.deliver(raised, subject=subject)
    assert (await registered(intake))["by_rule"] == EMERGENCY_RULE


async def test_the_check_on_the_spot_is_called_off(intake: Any) -> None:
    subject = uuid4()
    await intake.sut.deliver(
        ticket(urgency=Urgency.ROUTINE, place=Place(longitude=103.79, latitude=36.06)),
        subject=subject,
    )
    (received,) = await intake.sut.told(ReportReceived)
    checked = await intake.act(received.subject, "check")
    assert checked.status_code in {200, 201}, checked.text
    raised = EmergencyRaised(number="H1", description="路面塌陷", place=ADDRESS)
    await intake.sut.deliver(raised, subject=subject)
    assert (await registered(intake))["emergency"] is True


@given(
    source=st.sampled_from(Source),
    ref=st.sampled_from([None, COVER]),
    emergency=st.booleans(),
)
def test_only_marked_emergencies_of_named_sources_skip_the_operator(
    qilihe: CityPack, *, source: Source, ref: ClassRef | None, emergency: bool
) -> None:
    draft = Draft(
        source=source, place=ADDRESS, description="x", observed_at=None, class_ref=ref,
        emergency=emergency,
    )  # type: ignore[arg-type] # fmt: skip
    found = nature(qilihe, ref, None, marked=emergency)
    accepted = accepted_by_rule(qilihe, draft, found, emergency=emergency)

    names = {Source.COLLECTOR: "handset", Source.LEADER: "instruction"}
    named = names.get(source, source.value) in qilihe.emergencies.sources
    assert (accepted is not None) == (emergency and named)
    if accepted is not None:
        assert accepted.condition.class_key == accepted.nature.condition.class_key
        assert accepted.nature.urgent
        if ref is not None:
            assert accepted.class_ref == ref
