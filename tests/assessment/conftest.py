"""The assessment service, and cases told to it fact by fact as the other services would."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.assessment.app import service
from services.assessment.events.domain import StoredEvent
from shared.bus.transport import Delivery
from shared.events import dispatch, intake
from shared.events.envelope import SCHEMA_BASE, Envelope, Event
from shared.events.registry import read_event
from shared.events.vocabulary import (
    ClassRef,
    ClockReading,
    DispatchReason,
    Finding,
    LimitRef,
    Place,
    Source,
    TaskKind,
)
from shared.ids import uuid7
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from shared.vocabulary import ClassKind

GRID_PLACE = Place(longitude=103.8, latitude=36.05, grid="620103001001001")
CLASS = ClassRef(scheme="620103-2013", kind=ClassKind.EVENT, code="11001")
LIMIT = LimitRef(amount="4", kind="working-hours")
LIMIT_SECONDS = 4 * 3_600
START = datetime.fromisoformat("2026-05-11T01:00:00+00:00")


@pytest.fixture
async def sut(
    database_url: str, qilihe: CityPack, tmp_path: Path
) -> AsyncIterator[ServiceUnderTest]:
    """Assessment on an empty database; its clock stands at 1 June 2026, 10:00 in the city."""
    async with service_under_test(
        service, database_url=database_url, pack=qilihe, folder=tmp_path
    ) as driven:
        yield driven


class Teller:
    """Tells the life of one case; time moves by `minutes` before each fact."""

    def __init__(
        self, *, at: datetime = START, urgent: bool = False, special: bool = False
    ) -> None:
        self.case_id = uuid7()
        self.report_id = uuid7()
        self.number = f"620103{at:%Y%m%d}{self.case_id.int % 100_000:05d}"
        self.now = at
        self.urgent = urgent
        self.special = special
        self.envelopes: list[Envelope] = []
        self.assignment = 0
        self.unit = ""
        self.round = 0
        self.paused = 0
        self._sequences: dict[tuple[str, str], int] = {}

    def tell(
        self, event: Event, subject: UUID, *, actor: str = "somebody", role: str | None = None
    ) -> None:
        key = (event.aggregate(), str(subject))
        self._sequences[key] = self._sequences.get(key, 0) + 1
        self.envelopes.append(
            Envelope(
                id=uuid7(),
                source=f"/{event.TYPE.split('.')[0]}",
                type=event.TYPE,
                time=self.now,
                subject=str(subject),
                dataschema=SCHEMA_BASE + event.TYPE,
                sequence=self._sequences[key],
                correlationid=str(uuid4()),
                actorid=actor,
                actorrole=role,
                data=event.model_dump(mode="json"),
            )
        )

    def wait(self, minutes: float) -> "Teller":
        self.now += timedelta(minutes=minutes)
        return self

    def received(
        self,
        *,
        reporter: str | None = None,
        source: Source = Source.COLLECTOR,
        grid: str | None = GRID_PLACE.grid,
    ) -> "Teller":
        self.tell(
            intake.ReportReceived(
                number=f"R{self.report_id.int % 10**10}",
                source=source,
                reporter_id=reporter,
                place=GRID_PLACE.model_copy(update={"grid": grid}),
                observed_at=self.now,
                received_at=self.now,
            ),
            self.report_id,
        )
        return self

    def registered(
        self,
        *,
        reporter: str | None = None,
        source: Source = Source.COLLECTOR,
        by_rule: str | None = None,
        minutes: float = 10,
    ) -> "Teller":
        received_at = self.now
        self.wait(minutes)
        self.tell(
            intake.ReportRegistered(
                case_id=self.case_id,
                case_number=self.number,
                report_number=f"R{self.report_id.int % 10**10}",
                source=source,
                reporter_id=reporter,
                class_ref=CLASS,
                condition="11001-1",
                place=GRID_PLACE,
                description="垃圾堆放",
                urgent=self.urgent,
                special=self.special,
                observed_at=received_at,
                received_at=received_at,
                registered_at=self.now,
                by_rule=by_rule,
            ),
            self.report_id,
            role="operator",
        )
        return self

    def rejected(self) -> "Teller":
        self.tell(
            intake.ReportRejected(
                source=Source.COLLECTOR, reason_code="not-ours", reason="不归我们管"
            ),
            self.report_id,
        )
        return self

    def merged(self, into: UUID) -> "Teller":
        self.tell(intake.ReportMerged(into_report_id=into, source=Source.WEB), self.report_id)
        return self

    def unmerged(self, was: UUID) -> "Teller":
        self.tell(intake.ReportUnmerged(from_report_id=was, reason="不是一件事"), self.report_id)
        return self

    def opened(self) -> "Teller":
        self.tell(
            dispatch.CaseOpened(
                number=self.number,
                report_id=self.report_id,
                source=Source.COLLECTOR,
                class_ref=CLASS,
                condition="11001-1",
                place=GRID_PLACE,
                urgent=self.urgent,
                special=self.special,
                registered_at=self.now,
                dispatch_due_at=self.now + timedelta(minutes=30),
            ),
            self.case_id,
        )
        return self

    def dispatched(
        self,
        unit: str,
        reason: DispatchReason = DispatchReason.FIRST,
        *,
        due_at: datetime | None = None,
        used: int = 0,
        limit: int | None = LIMIT_SECONDS,
        minutes: float = 5,
    ) -> "Teller":
        self.wait(minutes)
        self.assignment += 1
        self.unit = unit
        self.tell(
            dispatch.CaseDispatched(
                number=self.number,
                assignment=self.assignment,
                unit=unit,
                reason=reason,
                condition="11001-1",
                standard="清理干净",
                limit=LIMIT,
                limit_seconds=limit,
                used_seconds=used,
                due_at=due_at or self.now + timedelta(hours=6),
                warn_at=self.now + timedelta(hours=5),
            ),
            self.case_id,
            role="dispatcher",
        )
        return self

    def clock(self, used: int, due_at: datetime | None = None) -> ClockReading:
        return ClockReading(
            assignment=max(self.assignment, 1),
            unit=self.unit or "nobody",
            limit_seconds=LIMIT_SECONDS,
            used_seconds=used,
            paused_seconds=self.paused,
            due_at=due_at,
        )

    def handled(self, used: int = 3_600, *, minutes: float = 60) -> "Teller":
        self.wait(minutes)
        self.tell(
            dispatch.CaseHandled(
                assignment=self.assignment,
                unit=self.unit,
                handled_at=self.now,
                clock=self.clock(used),
            ),
            self.case_id,
            role="handler",
        )
        return self

    def feedback_refused(self) -> "Teller":
        self.tell(
            dispatch.FeedbackRefused(assignment=self.assignment, unit=self.unit, reason="没有清理"),
            self.case_id,
            role="dispatcher",
        )
        return self

    def verification(
        self, *, passed: bool, used: int = 3_600, collector: str = "collector01", minutes: float = 5
    ) -> "Teller":
        """Asked for, issued, completed and noted in the file, `minutes` after one another."""
        self.round += 1
        task_id = uuid7()
        self.wait(minutes)
        self.tell(
            dispatch.VerificationAsked(
                number=self.number,
                round=self.round,
                assignment=self.assignment,
                unit=self.unit,
                class_ref=CLASS,
                place=GRID_PLACE,
                standard="清理干净",
                special=self.special,
                urgent=self.urgent,
            ),
            self.case_id,
            role="dispatcher",
        )
        self.wait(minutes)
        self.tell(
            intake.TaskIssued(
                kind=TaskKind.VERIFICATION,
                case_id=self.case_id,
                round=self.round,
                collector=collector,
                due_at=None,
                attempt=1,
            ),
            task_id,
            actor="service:intake",
        )
        self.wait(minutes)
        self.tell(
            intake.TaskCompleted(
                kind=TaskKind.VERIFICATION,
                case_id=self.case_id,
                round=self.round,
                collector=collector,
                finding=Finding.PASSED if passed else Finding.FAILED,
                in_time=True,
                completed_at=self.now,
            ),
            task_id,
            role="collector",
        )
        self.tell(
            dispatch.CaseVerified(
                round=self.round,
                assignment=self.assignment,
                unit=self.unit,
                task_id=task_id,
                passed=passed,
                clock=self.clock(used),
            ),
            self.case_id,
            actor="service:dispatch",
        )
        return self

    def closed(self, used: int = 3_600, *, minutes: float = 5) -> "Teller":
        self.wait(minutes)
        self.tell(
            dispatch.CaseClosed(
                number=self.number,
                outcome="resolved",
                unit=self.unit,
                assignments=self.assignment,
                closed_at=self.now,
                clock=self.clock(used),
            ),
            self.case_id,
            role="operator",
        )
        return self

    def reopened(self) -> "Teller":
        self.tell(dispatch.CaseReopened(number=self.number, reason="来电人不满意"), self.case_id)
        return self

    def voided(self) -> "Teller":
        self.tell(
            dispatch.CaseVoided(number=self.number, reason="误报", approved_by="supervisor01"),
            self.case_id,
        )
        return self

    def return_decided(self, *, granted: bool, used: int = 600) -> "Teller":
        self.tell(
            dispatch.ReturnDecided(
                request_id=uuid7(),
                assignment=self.assignment,
                unit=self.unit,
                granted=granted,
                reason="按责任清单",
                clock=self.clock(used),
            ),
            self.case_id,
            role="dispatcher",
        )
        return self

    def extension_decided(
        self,
        *,
        granted: bool,
        added: int = 7_200,
        new_due_at: datetime | None = None,
        used: int = 600,
    ) -> "Teller":
        self.tell(
            dispatch.ExtensionDecided(
                request_id=uuid7(),
                assignment=self.assignment,
                unit=self.unit,
                granted=granted,
                reason="雨天",
                clock=self.clock(used),
                limit=LimitRef(amount="2", kind="working-hours"),
                added_seconds=added if granted else None,
                new_due_at=new_due_at,
            ),
            self.case_id,
        )
        return self

    def deferral_decided(self, *, granted: bool, until: datetime, used: int = 600) -> "Teller":
        self.tell(
            dispatch.DeferralDecided(
                request_id=uuid7(),
                assignment=self.assignment,
                unit=self.unit,
                granted=granted,
                reason="等资金",
                clock=self.clock(used),
                until=until,
            ),
            self.case_id,
        )
        return self

    def deferral_ended(self, due_at: datetime, *, used: int = 600) -> "Teller":
        self.tell(
            dispatch.DeferralEnded(
                assignment=self.assignment, unit=self.unit, clock=self.clock(used, due_at)
            ),
            self.case_id,
        )
        return self

    def heard(
        self, minutes: float, end: str | None, *, before: float = 5, beside: bool = False
    ) -> "Teller":
        """Units are heard, `before` minutes from now and for `minutes`; `end` says how it ends."""
        coordination = uuid7()
        self.wait(before)
        self.tell(
            dispatch.CoordinationOpened(
                number=self.number,
                case_id=self.case_id,
                kind="unclear",
                class_ref=CLASS,
                urgent=self.urgent,
                beside=beside,
                units=("water", "transport"),
                due_at=self.now + timedelta(days=3),
            ),
            coordination,
            role="dispatcher",
        )
        self.wait(minutes)
        if end == "withdrawn":
            withdrawn = dispatch.CoordinationWithdrawn(case_id=self.case_id, reason="已查清")
            self.tell(withdrawn, coordination, role="supervisor")
        elif end is not None:
            dispatched = end == "dispatched"
            if dispatched:
                self.dispatched("water", minutes=0)
            settled = dispatch.CoordinationSettled(
                number=self.number,
                case_id=self.case_id,
                outcome="unit",
                unit="water",
                basis="责任清单",
                by_office=False,
                dispatched=dispatched,
            )
            self.tell(settled, coordination, role="supervisor")
        return self

    def deadlines_moved(
        self, due_at: datetime | None = None, limit: int | None = LIMIT_SECONDS
    ) -> "Teller":
        """Another calendar holds; of a unit that has, or had, the case since its last dispatch."""
        dispatched = self.assignment > 0
        self.tell(
            dispatch.DeadlinesMoved(
                number=self.number,
                calendar="0" * 64,
                assignment=self.assignment,
                unit=self.unit if dispatched else None,
                due_at=due_at if dispatched else None,
                warn_at=due_at if dispatched else None,
                limit_seconds=limit if dispatched else None,
                stage_due_at=self.now + timedelta(days=1),
                whole_due_at=self.now + timedelta(days=9),
            ),
            self.case_id,
            actor="rule:recompute-deadlines",
        )
        return self

    def settled(self, unit: str, *, used: int = 3_600, due_at: datetime | None = None) -> "Teller":
        """From report to archive without a hitch."""
        self.received().registered().opened().dispatched(unit, due_at=due_at)
        return self.handled(used).verification(passed=True, used=used).closed(used)

    def stored(self) -> list[StoredEvent]:
        """What the case's fold gets to read; the fact that a report came in is not part of it."""
        return [
            stored_event(envelope)
            for envelope in self.envelopes
            if envelope.type != intake.ReportReceived.TYPE
        ]


def stored_event(envelope: Envelope) -> StoredEvent:
    return StoredEvent(
        event_id=envelope.id,
        aggregate=envelope.aggregate,
        subject=envelope.subject,
        sequence=envelope.sequence,
        at=envelope.time.astimezone(UTC),
        actor_id=envelope.actorid,
        actor_role=envelope.actorrole,
        event=read_event(envelope),
    )


@pytest.fixture(scope="session")
def teller() -> type[Teller]:
    """Makes tellers of cases."""
    return Teller


class Told:
    """Hands whole stories to the service."""

    def __init__(self, sut: ServiceUnderTest) -> None:
        self._sut = sut

    async def __call__(self, *stories: Teller | Envelope) -> None:
        envelopes: list[Envelope] = []
        for story in stories:
            envelopes += story.envelopes if isinstance(story, Teller) else [story]
        for first in range(0, len(envelopes), 200):
            batch = envelopes[first : first + 200]
            await self._sut.inbox.receive([Delivery(body=item.to_bytes()) for item in batch])


@pytest.fixture
def tell(sut: ServiceUnderTest) -> Told:
    """Delivers stories in batches, as the bus would."""
    return Told(sut)
