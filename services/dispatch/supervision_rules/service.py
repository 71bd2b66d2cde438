"""Opens orders by rule, in the transaction of the fact that is the cause."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from services.dispatch.case_files.domain import CaseState
from services.dispatch.case_files.models import Assignment, Case
from services.dispatch.case_files.service import CaseFile, CaseFiles
from services.dispatch.clocks.domain import ClockRules
from services.dispatch.supervision.service import NewOrder, OrderFile, SupervisionService
from services.dispatch.supervision_rules.domain import (
    COMPLAINT_SOURCES,
    Complaint,
    accepted_in_time,
    is_due,
    series_of,
)
from services.dispatch.supervision_rules.models import (
    AcceptanceWatch,
    ComplaintRow,
    OpenedByRule,
    WaitingInstruction,
)
from services.dispatch.supervision_rules.repository import RuleRepository
from shared.events.hotline import TicketInstructed
from shared.events.vocabulary import Place, Source
from shared.geo import Position
from shared.pack.model import CityPack
from shared.service import Runtime
from shared.vocabulary import SupervisionCause
from shared.work import Actor, UnitOfWork

_INSTANT_AFTER = timedelta(microseconds=1)


class SupervisionRules:
    """The rules of the city pack; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack, rules: ClockRules) -> None:
        self.work = work
        self.settings = pack.supervision
        self.calendar = pack.calendar
        self.orders = SupervisionService(work, pack, rules)
        self.repository = RuleRepository(work.session)

    @classmethod
    def beside(cls, files: CaseFiles) -> Self:
        """The rules for the unit of work of a cabinet."""
        return cls(files.work, files.pack, files.rules)

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        """The rules of a running service, for one unit of work."""
        return cls.beside(CaseFiles.of(work, runtime))

    async def on_red_light(self, file: CaseFile, assignment: int, at: datetime) -> None:
        """The handling limit of a dispatch has run out."""
        if SupervisionCause.RED_LIGHT in self.settings.by_rule:
            row = file.assignments[assignment - 1]
            await self._open(SupervisionCause.RED_LIGHT, file.case, row, at)

    async def on_failed_verification(self, file: CaseFile, row: Assignment, at: datetime) -> None:
        """What the unit said was done was not; counted within the run of the unit's clock."""
        if is_due(SupervisionCause.FAILED_VERIFICATION, row.repeat, self.settings):
            await self._open(SupervisionCause.FAILED_VERIFICATION, file.case, row, at)

    async def on_return(self, file: CaseFile) -> None:
        """A return was granted or refused; all returns of the case count."""
        count = file.case.returns_granted + file.case.returns_refused
        if is_due(SupervisionCause.SHIRKING, count, self.settings):
            at = self.work.now()
            await self._open(SupervisionCause.SHIRKING, file.case, file.assignment, at)

    def watch_acceptance(self, case: Case, row: Assignment) -> None:
        """An urgent case was dispatched: look after a while whether it was accepted."""
        if not case.urgent or SupervisionCause.NOT_ACCEPTED not in self.settings.by_rule:
            return
        due = self.calendar.due(row.dispatched_at, self.settings.acceptance, provisional=True)
        watch = AcceptanceWatch(
            case_id=case.id,
            assignment=row.number,
            accept_by=due.instant,
            due_at=due.instant + _INSTANT_AFTER,
        )
        self.repository.add(watch)

    async def look_whether_accepted(self, file: CaseFile, watch: AcceptanceWatch) -> None:
        """The time to accept is over, or was a while ago."""
        row = file.assignments[watch.assignment - 1]
        if not accepted_in_time(row.accepted_at, row.released_at, watch.accept_by):
            cause = SupervisionCause.NOT_ACCEPTED
            await self._open(cause, file.case, row, watch.accept_by + _INSTANT_AFTER)
        await self.repository.remove(watch)

    async def on_dispatched(self, case: Case, row: Assignment) -> None:
        """A unit has the case from now on."""
        self.watch_acceptance(case, row)
        if case.ticket_id is None and case.reporters == 1:
            # No citizen's ticket stands behind it, so nobody can have written on one.
            return
        for waiting in await self.repository.waiting_instructions(case):
            await self._follow(
                case,
                row.unit,
                leader=waiting.leader,
                reference=waiting.reference,
                text=waiting.text,
                at=waiting.given_at,
            )
            await self.repository.remove(waiting)

    # -- instructions --------------------------------------------------------------------------

    async def on_instruction(self, ticket_id: UUID, fact: TicketInstructed, at: datetime) -> None:
        """A leader wrote on a call: to the unit named, the one that has the case, or will."""
        if SupervisionCause.INSTRUCTION not in self.settings.by_rule:
            return
        case = await self.repository.case(fact.case_id) if fact.case_id is not None else None
        case = case or await self.repository.case_of_ticket(ticket_id)
        unit = fact.unit or (case.unit if case is not None else None)
        if unit is None:
            waiting = WaitingInstruction(
                ticket_id=ticket_id,
                case_id=fact.case_id,
                leader=fact.leader,
                reference=fact.reference,
                text=fact.text,
                given_at=at,
            )
            self.repository.add(waiting)
            return
        await self._follow(
            case,
            unit,
            leader=fact.leader,
            reference=fact.reference,
            text=fact.text,
            at=at,
            title=fact.number,
        )

    async def _follow(
        self,
        case: Case | None,
        unit: str,
        *,
        leader: str,
        reference: str,
        text: str,
        at: datetime,
        title: str | None = None,
    ) -> None:
        new = NewOrder(
            cause=SupervisionCause.INSTRUCTION,
            caused_at=at,
            cases=[] if case is None else [case.id],
            unit=unit,
            title=title if case is None else None,
            asked=text,
            source=leader,
            reference=reference,
            by_rule=SupervisionCause.INSTRUCTION.value,
        )
        await self._order(new)

    # -- complaints ----------------------------------------------------------------------------

    async def on_complaint(
        self, case: Case, report_id: UUID, *, source: Source, caller: str | None, at: datetime
    ) -> None:
        """A citizen has told of the matter of a case, with its first report or a further one."""
        if caller is None or source not in COMPLAINT_SOURCES:
            return
        place = Place.model_validate(case.place)
        row = await self.repository.complaint(report_id)
        if row is None:
            row = ComplaintRow(report_id=report_id, case_id=case.id, caller=caller, at=at)
            self.repository.add(row)
        row.case_id, row.grid = case.id, place.grid
        row.longitude, row.latitude = place.longitude, place.latitude
        if SupervisionCause.REPEATED_COMPLAINT in self.settings.by_rule:
            await self._count(case, row)

    async def forget_complaint(self, report_id: UUID) -> None:
        """A merge was wrong: the report told of something else."""
        row = await self.repository.complaint(report_id)
        if row is not None:
            await self.repository.remove(row)

    async def _count(self, case: Case, row: ComplaintRow) -> None:
        window = timedelta(days=self.settings.complaint_days)
        rows = await self.repository.complaints(row.caller, row.at - window, row.at + window)
        by_report = {other.report_id: other for other in rows}
        told = [_complaint(other) for other in rows]
        series = series_of(_complaint(row), told, self.settings)
        if not is_due(SupervisionCause.REPEATED_COMPLAINT, len(series), self.settings):
            return
        of_series = [by_report[item.report_id] for item in series]
        file = await self._entry_of(of_series)
        if file is not None:
            await self.orders.attach(file, case)
        else:
            file = await self._open_series(case, of_series)
        if file is not None:
            for other in of_series:
                other.order_id = file.order.id

    async def _entry_of(self, rows: Sequence[ComplaintRow]) -> OrderFile | None:
        """The entry on the ledger that the series has led to already."""
        for order_id in {row.order_id for row in rows if row.order_id is not None}:
            if await self.repository.open_order(order_id) is not None:
                return await self.orders.take(order_id)
        return None

    async def _open_series(self, case: Case, rows: Sequence[ComplaintRow]) -> OrderFile | None:
        """Chase the unit that has the case, or else the last one that had one of the series."""
        cases = [await self.repository.case(row.case_id) for row in rows]
        known = list({item.id: item for item in cases if item is not None}.values())
        unit = case.unit or next((item.unit for item in reversed(known) if item.unit), None)
        if unit is None:
            # Nobody was sent there yet, so nobody has failed.
            return None
        new = NewOrder(
            cause=SupervisionCause.REPEATED_COMPLAINT,
            caused_at=rows[-1].at,
            cases=[item.id for item in known],
            unit=unit,
            by_rule=SupervisionCause.REPEATED_COMPLAINT.value,
        )
        return await self._order(new)

    # -- opening -------------------------------------------------------------------------------

    async def _open(
        self, cause: SupervisionCause, case: Case, row: Assignment, at: datetime
    ) -> None:
        """Open an order to the unit of a dispatch, unless its run has one for this cause."""
        if case.state is CaseState.VOIDED:
            # A late timer tells of what should never have been a case: nothing is left to ask.
            return
        if await self.repository.opened(cause, case.id, row.run) is not None:
            return
        new = NewOrder(
            cause=cause, caused_at=at, cases=[case.id], unit=row.unit, by_rule=cause.value
        )
        file = await self._order(new)
        opened = OpenedByRule(
            case_id=case.id, cause=cause, run=row.run, order_id=file.order.id, caused_at=at
        )
        self.repository.add(opened)

    async def _order(self, new: NewOrder) -> OrderFile:
        with self.work.acting_as(Actor(id=f"rule:{new.cause}")):
            file, _ = await self.orders.open(new)
        return file


def _complaint(row: ComplaintRow) -> Complaint:
    position = None
    if row.longitude is not None and row.latitude is not None:
        position = Position(row.longitude, row.latitude)
    return Complaint(row.report_id, row.case_id, position, row.grid, row.at)
