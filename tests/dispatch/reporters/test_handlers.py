"""Facts about the reports and tickets behind a case, in every order."""

from uuid import UUID, uuid4

from shared.events.dispatch import CaseOpened
from shared.events.hotline import TicketReopened, TicketWithdrawn
from shared.events.intake import ReportMerged, ReportUnmerged
from shared.events.vocabulary import Source
from tests.dispatch.story import Story


async def _merged(story: Story, report: UUID, into: UUID, case_id: UUID | None = None) -> None:
    fact = ReportMerged(into_report_id=into, into_case_id=case_id, source=Source.WEB)
    await story.sut.deliver(fact, subject=report)


async def _reporters(story: Story, case_id: UUID) -> tuple[int, int]:
    """As the list and as the file count them."""
    listed = (await story.dispatcher.get("/cases")).json()["items"]
    counts = {item["id"]: item["reporters"] for item in listed}
    return counts[str(case_id)], (await story.case(case_id))["reporters"]


async def test_the_same_registration_under_another_id_opens_one_case(story: Story) -> None:
    case_id, report = uuid4(), uuid4()
    await story.opened(case_id=case_id, report_id=report)
    await story.opened(case_id=case_id, report_id=report)
    assert len(await story.told(case_id, CaseOpened)) == 1
    assert await story.sut.held() == []


async def test_merged_reports_keep_their_reporters(story: Story) -> None:
    main, other = uuid4(), uuid4()
    case_id = await story.opened(report_id=main)
    await _merged(story, other, main, case_id)
    await _merged(story, uuid4(), main, case_id)
    assert await _reporters(story, case_id) == (3, 3)
    await story.sut.deliver(ReportUnmerged(from_report_id=main, reason="另一处"), subject=other)
    assert await _reporters(story, case_id) == (2, 2)


async def test_merged_before_it_was_a_case(story: Story) -> None:
    main = uuid4()
    await _merged(story, uuid4(), main)
    case_id = await story.opened(report_id=main)
    assert await _reporters(story, case_id) == (2, 2)


async def test_a_chain_of_merges_ends_at_the_case(story: Story) -> None:
    main, middle, last = uuid4(), uuid4(), uuid4()
    case_id = await story.opened(report_id=main)
    await _merged(story, last, middle)
    await _merged(story, middle, main, case_id)
    assert await _reporters(story, case_id) == (3, 3)


async def test_a_merge_into_a_case_that_is_not_here_yet_waits(story: Story) -> None:
    main, case_id = uuid4(), uuid4()
    await _merged(story, uuid4(), main, case_id)
    assert len(await story.sut.held()) == 1
    await story.opened(report_id=main, case_id=case_id)
    story.later(seconds=10)
    await story.sut.inbox.retry_due()
    assert await story.sut.held() == []
    assert await _reporters(story, case_id) == (2, 2)


async def test_a_withdrawn_ticket_is_noted_whichever_comes_first(story: Story) -> None:
    early, late = uuid4(), uuid4()
    withdrawn = TicketWithdrawn(number="H1", reason="已自行解决")
    await story.sut.deliver(withdrawn, subject=early)
    first = await story.opened(ticket_id=early)
    second = await story.opened(ticket_id=late)
    await story.sut.deliver(withdrawn, subject=late)
    await story.sut.deliver(withdrawn, subject=uuid4())
    for case_id in (first, second):
        steps = [item["action"] for item in (await story.case(case_id))["journal"]]
        assert steps == ["open", "withdraw-ticket"]
    assert await story.sut.held() == []


async def test_reopening_a_case_that_is_not_here_yet_waits(story: Story) -> None:
    fact = TicketReopened(number="H1", case_id=uuid4(), reason="没修好")
    await story.sut.deliver(fact, subject=uuid4())
    [held] = await story.sut.held()
    assert held.state == "retry"
