"""A city's people who move its cases, for tests that tell stories."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from shared.clock import ManualClock
from shared.events.hotline import TicketReopened
from shared.events.intake import ReportRegistered, TaskCompleted, TaskIssued
from shared.events.vocabulary import ClassRef, Finding, Place, Source, TaskKind
from shared.pack.model import CityPack, ClassKey, RegistrationCondition
from shared.testing import ServiceUnderTest
from shared.timers.ringer import Ringer
from shared.vocabulary import ClassKind, Role

MONDAY = datetime.fromisoformat("2026-06-01T09:00:00+08:00")
"""A working morning of the summer season, two working hours and a half before the noon break."""

GRID = "620103001001001"
UNIT = "street-xiyuan"
OTHER_UNIT = "water"
COMMAND_UNIT = "urban-management"
SHA = "a" * 64


class Story:
    """Drives cases as the people of the city do; every step is an HTTP request or an event."""

    def __init__(self, sut: ServiceUnderTest, pack: CityPack, clock: ManualClock) -> None:
        self.sut = sut
        self.pack = pack
        self.clock = clock
        self.number = 0
        self.tasks: dict[tuple[UUID, int], UUID] = {}

    def at(self, local: str) -> None:
        """Set the clock to a local time of the city, e.g. `2026-06-01 14:00`."""
        self.clock.set(datetime.fromisoformat(f"{local}+08:00"))

    def later(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))

    def someone(self, *roles: Role, name: str | None = None, unit: str | None = None) -> Any:
        return self.sut.client(*roles, subject=name, unit=unit)

    @property
    def dispatcher(self) -> Any:
        return self.someone(Role.DISPATCHER)

    @property
    def operator(self) -> Any:
        return self.someone(Role.OPERATOR)

    @property
    def supervisor(self) -> Any:
        return self.someone(Role.SUPERVISOR)

    def handler(self, unit: str = UNIT) -> Any:
        return self.someone(Role.HANDLER, name=f"handler-of-{unit}", unit=unit)

    # -- steps ---------------------------------------------------------------------------------

    async def opened(self, *, condition: str | None = None, **changes: Any) -> UUID:
        """Register a report now; the case awaits its dispatch."""
        chosen = self.condition(condition)
        self.number += 1
        case_id = uuid4()
        now = self.clock.now()
        fact: dict[str, Any] = {
            "case_id": case_id,
            "case_number": f"62010320260601{self.number:05d}",
            "report_number": f"R20260601{self.number:05d}",
            "source": Source.COLLECTOR,
            "class_ref": ref_of(chosen.class_key),
            "condition": chosen.code,
            "place": Place(longitude=103.79, latitude=36.06, grid=GRID, address="西园街 1 号"),
            "description": "井盖破损",
            "urgent": False,
            "special": False,
            "observed_at": now,
            "received_at": now,
            "registered_at": now,
        }
        report_id = changes.pop("report_id", None) or uuid4()
        event = ReportRegistered.model_validate(fact | changes)
        await self.sut.deliver(event, subject=report_id)
        return event.case_id

    def condition(self, code: str | None = None) -> RegistrationCondition:
        """A condition by its code; by default one of four working hours."""
        return self.pack.condition(code or "B01001-3")

    async def post(
        self, client: httpx.AsyncClient, path: str, expect: int = 200, **body: Any
    ) -> dict[str, Any]:
        answer = await client.post(path, json=body)
        assert answer.status_code == expect, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def dispatched(self, case_id: UUID, unit: str = UNIT, **body: Any) -> dict[str, Any]:
        return await self.post(self.dispatcher, f"/cases/{case_id}/dispatch", unit=unit, **body)

    async def accepted(self, case_id: UUID, unit: str = UNIT) -> dict[str, Any]:
        return await self.post(self.handler(unit), f"/cases/{case_id}/acceptance")

    async def handled(self, case_id: UUID, unit: str = UNIT) -> dict[str, Any]:
        return await self.post(
            self.handler(unit), f"/cases/{case_id}/feedback", text="已更换", media=[SHA]
        )

    async def checked(self, case_id: UUID, *, accepted: bool = True) -> dict[str, Any]:
        reason = None if accepted else "照片上仍有破损"
        return await self.post(
            self.operator, f"/cases/{case_id}/feedback-check", accepted=accepted, reason=reason
        )

    async def found(
        self,
        case_id: UUID,
        finding: Finding,
        *,
        round_: int = 1,
        issued: bool = True,
        actor: str = "collector-7",
    ) -> None:
        """A collector is sent out and posts a finding."""
        task = self.tasks.setdefault((case_id, round_), uuid4())
        if issued:
            await self.issued(case_id, round_=round_)
        fact = TaskCompleted(
            kind=TaskKind.VERIFICATION,
            case_id=case_id,
            round=round_,
            collector="collector-7",
            finding=finding,
            in_time=True,
            media=(SHA,),
            completed_at=self.clock.now(),
        )
        await self.sut.deliver(fact, subject=task, actor=actor)

    async def issued(self, case_id: UUID, *, round_: int = 1, attempt: int = 1) -> None:
        task = self.tasks.setdefault((case_id, round_), uuid4())
        fact = TaskIssued(
            kind=TaskKind.VERIFICATION,
            case_id=case_id,
            round=round_,
            collector="collector-7",
            grid=GRID,
            due_at=self.clock.now() + timedelta(hours=1),
            attempt=attempt,
        )
        await self.sut.deliver(fact, subject=task)

    async def closed(self, case_id: UUID) -> dict[str, Any]:
        return await self.post(self.operator, f"/cases/{case_id}/closing", conclusion="已修复")

    def new_id(self) -> UUID:
        return uuid4()

    async def reopened(self, case_id: UUID, ticket: UUID) -> None:
        fact = TicketReopened(number="H2026060100001", case_id=case_id, reason="仍在冒水")
        await self.sut.deliver(fact, subject=ticket)

    async def with_unit(self, unit: str = UNIT, **changes: Any) -> UUID:
        """A case that a unit has just been sent and accepted."""
        case_id = await self.opened(**changes)
        await self.dispatched(case_id, unit)
        await self.accepted(case_id, unit)
        return case_id

    async def asked(self, case_id: UUID, what: str, unit: str = UNIT, **body: Any) -> str:
        """A unit asks for a return, an extension or a deferral; the id of the request."""
        answer = await self.post(
            self.handler(unit), f"/cases/{case_id}/{what}", 201, reason="有理由", **body
        )
        return str(answer["request"]["id"])

    async def decided(self, request: str, *, granted: bool) -> dict[str, Any]:
        """The centre decides; what takes two levels is proposed first where it is granted."""
        asked = (await self.supervisor.get(f"/requests/{request}")).json()
        body = {"granted": granted, "reason": "研究决定"}
        if granted and asked["kind"] == "extension":
            await self.proposed(request)
            return await self.post(self.supervisor, f"/requests/{request}/consent", **body)
        return await self.post(self.supervisor, f"/requests/{request}/decision", **body)

    async def proposed(self, request: str, **changes: Any) -> dict[str, Any]:
        return await self.post(
            self.dispatcher, f"/requests/{request}/proposal", reason="情况属实", **changes
        )

    async def case(self, case_id: UUID) -> dict[str, Any]:
        answer = await self.dispatcher.get(f"/cases/{case_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def told(self, case_id: UUID, event_type: Any) -> list[dict[str, Any]]:
        envelopes = await self.sut.told(event_type)
        return [item.data for item in envelopes if item.subject == str(case_id)]

    async def timers(self) -> None:
        while await Ringer(self.sut.runtime).ring_due():
            pass


def ref_of(key: ClassKey) -> ClassRef:
    return ClassRef(scheme=key.scheme, kind=ClassKind(key.kind.value), code=key.code)


def local(text: str) -> datetime:
    """A time of day on a date of the city."""
    return datetime.fromisoformat(f"{text}+08:00")


def instant(text: str) -> datetime:
    """An instant as JSON writes it."""
    return datetime.fromisoformat(text)
