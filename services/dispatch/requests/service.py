"""Asking and deciding: return, extension, deferral, voiding; each with its effect on the clock."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import Action
from services.dispatch.case_files.errors import SeparationOfDuties, UnitUnknown
from services.dispatch.case_files.models import NO_LIMIT
from services.dispatch.case_files.service import CaseFile, CaseFiles, limit_of
from services.dispatch.clocks.domain import deadline_of
from services.dispatch.config import DispatchSettings
from services.dispatch.requests.domain import (
    ASKING,
    GRANTING,
    LAPSE_ON_HANDING_IN,
    RequestKind,
    RequestRules,
    RequestState,
    check_deferral,
    check_extension,
    decided_in_time,
)
from services.dispatch.requests.errors import (
    NoSuchRequest,
    NotProposed,
    RequestAlreadyAsked,
    RequestNotPending,
    SecondConsentNeeded,
)
from services.dispatch.requests.models import Request
from services.dispatch.requests.repository import RequestRepository
from services.dispatch.supervision_rules.service import SupervisionRules
from shared.events.dispatch import (
    CaseVoided,
    DeferralAsked,
    DeferralDecided,
    ExtensionAsked,
    ExtensionDecided,
    ReturnAsked,
    ReturnDecided,
)
from shared.events.vocabulary import DispatchReason, LimitRef
from shared.pack.model import Stage
from shared.service import Runtime
from shared.work import UnitOfWork
from shared.worktime import Limit

_SECOND = timedelta(seconds=1)
_A = {
    RequestKind.RETURN: "a return",
    RequestKind.EXTENSION: "an extension",
    RequestKind.DEFERRAL: "a deferral",
    RequestKind.VOID: "a voiding",
}


class RequestService:
    """Commands about requests; made per unit of work.

    Args:
        work: the open unit of work.
        files: the cabinet of case files.
        coordination_after: granted returns after which the units must be heard together.
        rules: of asking and granting.
    """

    def __init__(
        self,
        work: UnitOfWork,
        files: CaseFiles,
        *,
        coordination_after: int = 3,
        rules: RequestRules | None = None,
    ) -> None:
        self.work = work
        self.files = files
        self.coordination_after = coordination_after
        self.rules = rules or RequestRules()
        self.repository = RequestRepository(work.session)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The service of a running process, for one unit of work."""
        files, settings = CaseFiles.of(work, runtime), runtime.settings
        if isinstance(settings, DispatchSettings):
            return cls(
                work,
                files,
                coordination_after=settings.coordination_after_returns,
                rules=settings.request_rules(),
            )
        return cls(work, files)

    # -- asking --------------------------------------------------------------------------------

    async def ask_return(
        self, file: CaseFile, *, reason: str, basis: str | None, suggested_unit: str | None
    ) -> Request:
        """The unit says that the case is another's.

        Raises:
            UnitUnknown: the suggested unit is none that cases go to.
        """
        suggested = self.files.pack.units.get(suggested_unit) if suggested_unit else None
        if suggested_unit and (suggested is None or not suggested.responsible):
            raise UnitUnknown(
                f"No unit {suggested_unit} takes cases; leave it out if you do not know."
            )
        request = await self._ask(
            file, RequestKind.RETURN, reason, basis=basis, suggested_unit=suggested_unit
        )
        self.work.tell(file.case, ReturnAsked(**_asked(request), suggested_unit=suggested_unit))
        return request

    async def ask_extension(
        self, file: CaseFile, *, reason: str, basis: str | None, limit: Limit
    ) -> Request:
        """The unit asks for more time, before its limit runs out and in that limit's kind."""
        file.check(Action.ASK_EXTENSION)
        check_extension(
            self.rules,
            limit_of(file.assignment),
            limit,
            granted=file.extensions_granted,
            due_at=file.read().deadline.due_at,
            at=self.work.now(),
        )
        request = await self._ask(file, RequestKind.EXTENSION, reason, basis=basis, time=str(limit))
        self.work.tell(file.case, ExtensionAsked(**_asked(request), limit=_limit_ref(limit)))
        return request

    async def ask_deferral(
        self, file: CaseFile, *, reason: str, basis: str | None, until: datetime
    ) -> Request:
        """The unit asks to put the case off, until a date."""
        file.check(Action.ASK_DEFERRAL)
        now = self.work.now()
        check_deferral(self.rules, until, granted=file.deferrals_granted, asked_at=now, now=now)
        request = await self._ask(file, RequestKind.DEFERRAL, reason, basis=basis, until=until)
        self.work.tell(file.case, DeferralAsked(**_asked(request), until=until))
        return request

    async def ask_void(self, file: CaseFile, *, reason: str) -> Request:
        """Somebody of the centre says that it should never have been a case; work on it goes on."""
        return await self._ask(file, RequestKind.VOID, reason)

    async def _ask(
        self,
        file: CaseFile,
        kind: RequestKind,
        reason: str,
        *,
        basis: str | None = None,
        suggested_unit: str | None = None,
        time: str | None = None,
        until: datetime | None = None,
    ) -> Request:
        file.check(ASKING[kind])
        if await self.repository.pending(file.case.id, [kind]):
            raise RequestAlreadyAsked(
                f"A {kind.value} of this case waits for its decision:"
                " withdraw it before asking anew."
            )
        now, case = self.work.now(), file.case
        pack = self.files.pack
        deadline = deadline_of(
            pack.calendar,
            now,
            pack.stages.limit_of(Stage.SUPERVISION, urgent=case.urgent, special=case.special),
            self.files.rules,
        )
        request = Request(
            case_id=case.id,
            case_number=case.number,
            kind=kind,
            assignment=case.assignments,
            unit=None if kind is RequestKind.VOID else case.unit,
            reason=reason,
            basis=basis,
            suggested_unit=suggested_unit,
            time=time,
            until=until,
            asked_at=now,
            asked_by=self.work.actor.id,
            warn_at=deadline.warn_at if deadline else None,
            due_at=deadline.due_at if deadline else None,
            due_order=deadline.due_at if deadline else NO_LIMIT,
        )
        self.repository.add(request)
        case.pending_requests += 1
        file.move(ASKING[kind], reason=reason, request=str(request.id))
        return request

    # -- deciding ------------------------------------------------------------------------------

    async def propose(
        self, request_id: UUID, *, reason: str, if_match: str | None = None
    ) -> tuple[CaseFile, Request]:
        """The first level proposes to grant a request; the clock runs on until the second agrees.

        Raises:
            NoSuchRequest: none that takes two levels has this id.
            RequestNotPending: it is settled already.
            SeparationOfDuties: who asked proposes.
            NotAllowedNow: the case does not stand where it could be granted.
        """
        file, request = await self._pending(request_id, self.rules.two_level, if_match)
        file.check(GRANTING[request.kind])
        request.proposed_at = self.work.now()
        request.proposed_by = self.work.actor.id
        request.proposal_reason = reason
        self._record(file, request, "propose", reason)
        return file, request

    async def consent(
        self, request_id: UUID, *, granted: bool, reason: str, if_match: str | None = None
    ) -> tuple[CaseFile, Request]:
        """The second level agrees to a proposal, or refuses the request.

        Raises:
            NotProposed: nobody has proposed to grant it.
            SeparationOfDuties: who asked or proposed consents.
        """
        file, request = await self._pending(request_id, self.rules.two_level, if_match)
        if granted and request.proposed_by is None:
            raise NotProposed("A dispatcher proposes to grant it first, with a reason.")
        if request.proposed_by == self.work.actor.id:
            raise SeparationOfDuties("Who proposed does not consent: leave it to somebody else.")
        await self._decide(file, request, granted=granted, reason=reason)
        return file, request

    async def decide(
        self,
        request_id: UUID,
        *,
        granted: bool,
        reason: str,
        kinds: Collection[RequestKind],
        if_match: str | None = None,
    ) -> tuple[CaseFile, Request]:
        """Grant or refuse a pending request; the unit's clock has run until this moment.

        Raises:
            NoSuchRequest: none of these kinds has this id.
            RequestNotPending: it is settled already.
            SecondConsentNeeded: granting it takes two levels; refusing does not.
            SeparationOfDuties: who asked decides.
        """
        file, request = await self._pending(request_id, kinds, if_match)
        if granted and request.kind in self.rules.two_level:
            raise SecondConsentNeeded(
                f"Granting {_A[request.kind]} takes two people: a dispatcher proposes it"
                f" (requests/{request.id}/proposal), a supervisor or leader consents"
                f" (requests/{request.id}/consent).",
                proposed=request.proposed_by is not None,
            )
        await self._decide(file, request, granted=granted, reason=reason)
        return file, request

    async def _pending(
        self, request_id: UUID, kinds: Collection[RequestKind], if_match: str | None
    ) -> tuple[CaseFile, Request]:
        """A pending request of one of these kinds that the actor did not make."""
        request = await self.repository.request(request_id)
        if request is None or request.kind not in kinds:
            raise NoSuchRequest("There is no such request to decide here.")
        file = await self.files.take(request.case_id, if_match=if_match)
        _check_pending(request)
        if request.asked_by == self.work.actor.id:
            raise SeparationOfDuties("Who asked does not decide: leave it to a colleague.")
        return file, request

    async def _decide(
        self, file: CaseFile, request: Request, *, granted: bool, reason: str
    ) -> None:
        decide = {
            RequestKind.RETURN: self._decide_return,
            RequestKind.EXTENSION: self._decide_extension,
            RequestKind.DEFERRAL: self._decide_deferral,
            RequestKind.VOID: self._decide_void,
        }[request.kind]
        if granted:
            file.check(GRANTING[request.kind])
        self._settle(
            file, request, RequestState.GRANTED if granted else RequestState.REFUSED, reason
        )
        await decide(file, request, granted=granted, reason=reason)

    async def _decide_return(
        self, file: CaseFile, request: Request, *, granted: bool, reason: str
    ) -> None:
        case, clock = file.case, file.clock_reading()
        if granted:
            case.returns_granted += 1
            case.coordination_needed |= case.returns_granted >= self.coordination_after
            case.dispatch_reason = DispatchReason.AFTER_RETURN
            file.release("returned", self.work.now())
            file.move(Action.GRANT_RETURN, reason=reason, request=str(request.id))
            case.unit = None
            await self.lapse(file, RequestKind.EXTENSION, RequestKind.DEFERRAL)
        else:
            case.returns_refused += 1
            self._record_refusal(file, request, reason)
        self.work.tell(case, ReturnDecided(**_decided(request, granted, reason), clock=clock))
        await SupervisionRules.beside(self.files).on_return(file)

    async def _decide_extension(
        self, file: CaseFile, request: Request, *, granted: bool, reason: str
    ) -> None:
        asked = Limit.parse(request.time or "")
        added = None
        if granted:
            before = file.read().allowed
            row = file.assignment
            extended = Limit.parse(row.extended_by).plus(asked) if row.extended_by else asked
            row.extended_by = str(extended)
            row.extensions += 1
            file.move(Action.GRANT_EXTENSION, reason=reason, request=str(request.id))
            added = (file.read().allowed - before) // _SECOND
        else:
            self._record_refusal(file, request, reason)
        event = ExtensionDecided(
            **_decided(request, granted, reason),
            clock=file.clock_reading(),
            limit=_limit_ref(asked),
            added_seconds=added,
            new_due_at=file.assignment.due_at if granted else None,
        )
        self.work.tell(file.case, event)

    async def _decide_deferral(
        self, file: CaseFile, request: Request, *, granted: bool, reason: str
    ) -> None:
        until = request.until or self.work.now()
        if granted:
            check_deferral(
                self.rules,
                until,
                granted=file.deferrals_granted,
                asked_at=request.asked_at,
                now=self.work.now(),
            )
            file.case.deferred_until = until
            file.move(Action.GRANT_DEFERRAL, reason=reason, request=str(request.id))
        else:
            self._record_refusal(file, request, reason)
        event = DeferralDecided(
            **_decided(request, granted, reason),
            clock=file.clock_reading(),
            until=until,
            new_due_at=file.assignment.due_at if granted else None,
        )
        self.work.tell(file.case, event)

    async def _decide_void(
        self, file: CaseFile, request: Request, *, granted: bool, reason: str
    ) -> None:
        if not granted:
            self._record_refusal(file, request, reason)
            return
        now = file.move(Action.VOID, reason=request.reason, decision=reason)
        if file.assignments and file.assignment.outcome is None:
            file.release("voided", now)
        await self.lapse(file)
        event = CaseVoided(
            number=file.case.number,
            ticket_id=file.case.ticket_id,
            reason=request.reason,
            approved_by=self.work.actor.id,
        )
        self.work.tell(file.case, event)

    # -- other ends ----------------------------------------------------------------------------

    async def withdraw(
        self, request_id: UUID, *, unit: str | None, reason: str | None
    ) -> tuple[CaseFile, Request]:
        """The unit takes its own pending request back.

        Raises:
            NoSuchRequest: the unit has none with this id.
            RequestNotPending: it is settled already.
        """
        request = await self.repository.request(request_id)
        if request is None or request.unit is None or request.unit != unit:
            raise NoSuchRequest("Your unit has no such request.")
        file = await self.files.take(request.case_id)
        _check_pending(request)
        self._settle(file, request, RequestState.WITHDRAWN, reason)
        self.work.record(
            file.case,
            f"withdraw-{request.kind.value}",
            reason=reason,
            details={"request": str(request.id)},
        )
        return file, request

    async def lapse(self, file: CaseFile, *kinds: RequestKind) -> None:
        """End pending requests that the case has overtaken; all kinds unless some are named."""
        if not file.case.pending_requests:
            return
        for request in await self.repository.pending(file.case.id, kinds or tuple(RequestKind)):
            self._settle(file, request, RequestState.LAPSED, None)
            self.work.record(
                file.case, f"lapse-{request.kind.value}", details={"request": str(request.id)}
            )

    async def lapse_on_handing_in(self, file: CaseFile) -> None:
        await self.lapse(file, *LAPSE_ON_HANDING_IN)

    def _settle(
        self, file: CaseFile, request: Request, state: RequestState, reason: str | None
    ) -> None:
        request.state = state
        request.decided_at = self.work.now()
        request.decided_by = self.work.actor.id
        request.decision_reason = reason
        file.case.pending_requests -= 1

    def _record_refusal(self, file: CaseFile, request: Request, reason: str) -> None:
        self._record(file, request, "refuse", reason)

    def _record(self, file: CaseFile, request: Request, action: str, reason: str) -> None:
        self.work.record(
            file.case,
            f"{action}-{request.kind.value}",
            from_state=file.case.state.value,
            to_state=file.case.state.value,
            reason=reason,
            details={"request": str(request.id)},
        )


def _check_pending(request: Request) -> None:
    if request.state is not RequestState.ASKED:
        raise RequestNotPending(
            f"This request is {request.state} already; read the case for what came of it.",
            state=request.state.value,
            allowed=[],
        )


def _limit_ref(limit: Limit) -> LimitRef:
    amount, kind = str(limit).split(" ")
    return LimitRef(amount=amount, kind=kind)


def _asked(request: Request) -> dict[str, object]:
    return {
        "request_id": request.id,
        "assignment": request.assignment,
        "unit": request.unit,
        "reason": request.reason,
        "basis": request.basis,
    }


def _decided(request: Request, granted: bool, reason: str) -> dict[str, object]:  # noqa: FBT001
    return {
        "request_id": request.id,
        "assignment": request.assignment,
        "unit": request.unit,
        "granted": granted,
        "reason": reason,
        "decision_due_at": request.due_at,
        "decided_in_time": decided_in_time(request.decided_at, request.due_at),
    }
