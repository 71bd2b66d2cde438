"""The hotline as its tests drive it, and the few steps that most stories begin with."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.hotline.app import service
from services.hotline.config import HotlineSettings
from shared.clock import ManualClock
from shared.events import dispatch, intake
from shared.events.vocabulary import ClassRef, ClockReading, DispatchReason, LimitRef, Place, Source
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from shared.vocabulary import ClassKind, Role

NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # 12:00 in the sample city
MANHOLE = ClassRef(scheme="GB/T 47678.5-2026", kind=ClassKind.COMPONENT, code="01001")


class Hotline:
    """Short ways to say what happens in a test."""

    def __init__(self, sut: ServiceUnderTest, clock: ManualClock) -> None:
        self.sut = sut
        self.clock = clock
        self.agent = sut.client(Role.AGENT)
        self.leader = sut.client(Role.SHIFT_LEADER)

    async def ticket(self, **given: Any) -> dict[str, Any]:
        body = {
            "description": "人行道上井盖丢失",
            "appeal_kind": "help",
            "caller": {"number": "13800001234", "name": "张小明"},
            **given,
        }
        answer = await self.agent.post("/tickets", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()  # type: ignore[no-any-return]

    async def submitted(self, *, submission: dict[str, Any] | None = None, **given: Any) -> Any:
        ticket = await self.ticket(**given)
        body = {"place": {"address": "西津西路 100 号"}, **(submission or {})}
        answer = await self.agent.post(f"/tickets/{ticket['id']}/submission", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def read(self, ticket: dict[str, Any]) -> Any:
        answer = await self.agent.get(f"/tickets/{ticket['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def callbacks(self, **query: Any) -> list[Any]:
        answer = await self.agent.get("/callbacks", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]  # type: ignore[no-any-return]

    # -- what the other services tell ------------------------------------------------------------

    async def received(self, report: UUID, ticket: dict[str, Any] | None) -> None:
        now = self.clock.now()
        event = intake.ReportReceived(
            number="R2026060100001",
            source=Source.HOTLINE if ticket else Source.COLLECTOR,
            ticket_id=ticket["id"] if ticket else None,
            place=Place(),
            observed_at=now,
            received_at=now,
        )
        await self.sut.deliver(event, subject=report)

    async def registered(self, report: UUID, case: UUID, ticket: dict[str, Any] | None) -> None:
        now = self.clock.now()
        event = intake.ReportRegistered(
            case_id=case,
            case_number="6201032026060100001",
            report_number="R2026060100001",
            source=Source.HOTLINE if ticket else Source.COLLECTOR,
            ticket_id=ticket["id"] if ticket else None,
            class_ref=MANHOLE,
            condition="01001-1",
            place=Place(),
            description="井盖丢失",
            urgent=False,
            special=False,
            observed_at=now,
            received_at=now,
            registered_at=now,
        )
        await self.sut.deliver(event, subject=report)

    async def rejected(self, report: UUID, ticket: dict[str, Any] | None = None) -> None:
        event = intake.ReportRejected(
            ticket_id=ticket["id"] if ticket else None,
            source=Source.HOTLINE,
            reason_code="not-found-on-the-spot",
            reason="现场未发现",
        )
        await self.sut.deliver(event, subject=report)

    async def merged(
        self, report: UUID, into: UUID, *, case: UUID | None = None, ticket: Any = None
    ) -> None:
        event = intake.ReportMerged(
            into_report_id=into,
            into_case_id=case,
            ticket_id=ticket["id"] if ticket else None,
            source=Source.HOTLINE,
        )
        await self.sut.deliver(event, subject=report)

    async def unmerged(self, report: UUID, out_of: UUID) -> None:
        event = intake.ReportUnmerged(from_report_id=out_of, reason="不是同一处")
        await self.sut.deliver(event, subject=report)

    async def opened(self, case: UUID, report: UUID, ticket: dict[str, Any] | None) -> None:
        event = dispatch.CaseOpened(
            number="6201032026060100001",
            report_id=report,
            ticket_id=ticket["id"] if ticket else None,
            source=Source.HOTLINE,
            class_ref=MANHOLE,
            condition="01001-1",
            place=Place(),
            urgent=False,
            special=False,
            registered_at=self.clock.now(),
            dispatch_due_at=None,
        )
        await self.sut.deliver(event, subject=case)

    async def dispatched(self, case: UUID, unit: str = "620103-cgj") -> None:
        now = self.clock.now()
        event = dispatch.CaseDispatched(
            number="6201032026060100001",
            assignment=1,
            unit=unit,
            reason=DispatchReason.FIRST,
            condition="01001-1",
            standard="井盖补齐",
            limit=LimitRef(amount="4", kind="working-hours"),
            limit_seconds=14_400,
            due_at=now,
            warn_at=now,
        )
        await self.sut.deliver(event, subject=case)

    async def handled(self, case: UUID) -> None:
        accepted = dispatch.CaseAccepted(assignment=1, unit="620103-cgj")
        handled = dispatch.CaseHandled(
            assignment=1, unit="620103-cgj", handled_at=self.clock.now(), clock=self._reading()
        )
        verified = dispatch.CaseVerified(
            round=1,
            assignment=1,
            unit="620103-cgj",
            task_id=uuid4(),
            passed=True,
            clock=self._reading(),
        )
        for event in (accepted, handled, verified):
            await self.sut.deliver(event, subject=case)

    async def closed(self, case: UUID, ticket: dict[str, Any] | None = None) -> None:
        event = dispatch.CaseClosed(
            number="6201032026060100001",
            ticket_id=ticket["id"] if ticket else None,
            outcome="resolved",
            conclusion="井盖已补齐",
            unit="620103-cgj",
            assignments=1,
            closed_at=self.clock.now(),
            clock=self._reading(),
        )
        await self.sut.deliver(event, subject=case)

    async def reopened(self, case: UUID, ticket: dict[str, Any] | None = None) -> None:
        event = dispatch.CaseReopened(
            number="6201032026060100001",
            ticket_id=ticket["id"] if ticket else None,
            reason="来电人不满意",
        )
        await self.sut.deliver(event, subject=case)

    async def voided(self, case: UUID) -> None:
        event = dispatch.CaseVoided(
            number="6201032026060100001", reason="误立案", approved_by="supervisor-1"
        )
        await self.sut.deliver(event, subject=case)

    async def closed_case(self, ticket: dict[str, Any]) -> UUID:
        """The whole way of a ticket's case up to its closing."""
        report, case = uuid4(), uuid4()
        await self.received(report, ticket)
        await self.registered(report, case, ticket)
        await self.opened(case, report, ticket)
        await self.dispatched(case)
        await self.handled(case)
        await self.closed(case, ticket)
        return case

    def _reading(self) -> ClockReading:
        return ClockReading(
            assignment=1, unit="620103-cgj", limit_seconds=14_400, used_seconds=60, due_at=None
        )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def sut(
    database_url: str, qilihe: CityPack, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[ServiceUnderTest]:
    settings = HotlineSettings(
        database_url=database_url,  # type: ignore[arg-type]
        personal_data_key=base64.b64encode(bytes(32)).decode(),  # type: ignore[arg-type]
    )
    async with service_under_test(
        service,
        database_url=database_url,
        pack=qilihe,
        folder=tmp_path,
        clock=clock,
        settings=settings,
    ) as driven:
        yield driven


@pytest.fixture
async def hotline(sut: ServiceUnderTest, clock: ManualClock) -> AsyncIterator[Hotline]:
    desk = Hotline(sut, clock)
    async with desk.agent, desk.leader:
        yield desk
