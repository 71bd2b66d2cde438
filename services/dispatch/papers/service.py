"""Asking for papers, completing them, and saying so when they are late."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from services.dispatch.case_files.errors import ConditionUnknown
from services.dispatch.case_files.models import Case
from services.dispatch.case_files.service import CaseFile, class_key_of, class_ref_of
from services.dispatch.papers.domain import (
    check_confirmed_by_another,
    papers_of_dispatch,
    papers_of_registration,
)
from services.dispatch.papers.errors import (
    ConditionNotOfClass,
    PaperNotOutstanding,
    PapersOutstanding,
)
from services.dispatch.papers.models import PaperRow
from services.dispatch.papers.repository import PaperRepository
from shared.errors import NotFound
from shared.events.dispatch import CaseClassified, PaperCompleted, PaperOverdue
from shared.events.vocabulary import ClassRef
from shared.pack.model import CityPack, Paper
from shared.service import Runtime
from shared.work import UnitOfWork


class PaperService:
    """Commands on the papers of a case; made per unit of work."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self.work = work
        self.papers = PaperRepository(work.session)
        self._pack = pack

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> Self:
        return cls(work, runtime.pack)

    async def ask_after_registration(
        self, case: Case, *, by_emergency_rule: bool, decided_by: str | None
    ) -> None:
        """What follows a case that a rule registered because it could not wait."""
        kinds = papers_of_registration(by_emergency_rule=by_emergency_rule)
        await self._ask(case, kinds, assignment=0, decided_by=decided_by)

    async def ask_after_direct_dispatch(self, case: Case) -> None:
        """What follows a dispatch past the dispatcher, by whoever does this work."""
        kinds = papers_of_dispatch(direct=True)
        await self._ask(case, kinds, assignment=case.assignments, decided_by=self.work.actor.id)

    async def require_complete(self, case_id: UUID) -> None:
        """Refuse to archive what is not written up.

        Raises:
            PapersOutstanding: with the kinds that are missing.
        """
        rows = await self.papers.of_case(case_id)
        missing = sorted({row.kind.value for row in rows if row.completed_at is None})
        if missing:
            raise PapersOutstanding(
                f"Before it is closed, these papers follow: {', '.join(missing)}.", papers=missing
            )

    async def confirm_class(
        self,
        file: CaseFile,
        *,
        class_ref: ClassRef | None,
        condition: str | None,
        note: str | None,
    ) -> PaperRow:
        """An operator confirms or corrects what the rule has assumed.

        Raises:
            PaperNotOutstanding: nobody waits for it.
            SeparationOfDuties: who raised the emergency confirms it.
            ConditionUnknown, ConditionNotOfClass: the correction does not fit the city's table.
        """
        paper = await self._outstanding(file.case, Paper.CLASSIFICATION)
        changed = self._correct(file, class_ref, condition)
        self._complete(file.case, paper, text=note, changed=changed)
        event = CaseClassified(
            class_ref=class_ref_of(file.case.class_key),
            condition=file.case.condition,
            corrected=changed,
            special=file.case.special,
        )
        self.work.tell(file.case, event)
        return paper

    async def confirm_dispatch(self, case: Case, *, note: str | None) -> PaperRow:
        """A dispatcher confirms the unit that somebody else has sent it to."""
        paper = await self._outstanding(case, Paper.DISPATCH)
        self._complete(case, paper, text=note)
        return paper

    async def hand_in_record(self, case: Case, *, text: str) -> PaperRow:
        """Whoever was in charge writes down what happened."""
        paper = await self._outstanding(case, Paper.RECORD)
        self._complete(case, paper, text=text)
        return paper

    def say_overdue(self, case: Case, paper: PaperRow) -> None:
        """Tell once that a paper was not completed in time."""
        if paper.completed_at is not None:
            return
        paper.overdue_at = paper.due_at
        self.work.record(case, "paper-overdue", details={"paper": paper.kind.value})
        self.work.tell(case, PaperOverdue(paper=paper.kind, due_at=paper.due_at), at=paper.due_at)

    async def _ask(
        self, case: Case, kinds: Sequence[Paper], *, assignment: int, decided_by: str | None
    ) -> None:
        known = {(row.kind, row.assignment) for row in await self.papers.of_case(case.id)}
        now = self.work.now()
        for kind in kinds:
            number = assignment if kind is Paper.DISPATCH else 0
            if (kind, number) in known:
                continue
            limit = self._pack.emergencies.papers[kind]
            due_at = self._pack.calendar.due(now, limit, provisional=True).instant
            self.papers.add(
                PaperRow(
                    case_id=case.id,
                    case_number=case.number,
                    kind=kind,
                    assignment=number,
                    decided_by=decided_by,
                    asked_at=now,
                    due_at=due_at,
                    remind_at=due_at,
                )
            )

    async def _outstanding(self, case: Case, kind: Paper) -> PaperRow:
        rows = await self.papers.of_case(case.id)
        missing = [row for row in rows if row.kind is kind and row.completed_at is None]
        if not missing:
            raise PaperNotOutstanding(
                f"The paper {kind} is not outstanding for this case.",
                state="complete",
                allowed=sorted(row.kind.value for row in rows if row.completed_at is None),
            )
        check_confirmed_by_another(self.work.actor.id, missing[0].decided_by, kind)
        return missing[0]

    def _complete(
        self, case: Case, paper: PaperRow, *, text: str | None, changed: bool = False
    ) -> None:
        now = self.work.now()
        paper.completed_at, paper.completed_by, paper.remind_at = now, self.work.actor.id, None
        paper.text, paper.changed = text, changed
        self.work.record(
            case, "complete-paper", details={"paper": paper.kind.value, "changed": changed}
        )
        self.work.tell(
            case, PaperCompleted(paper=paper.kind, in_time=now <= paper.due_at, corrected=changed)
        )

    def _correct(self, file: CaseFile, ref: ClassRef | None, condition: str | None) -> bool:
        """Put class and condition right; the limit of a unit that is on its way stays as given."""
        case = file.case
        key = class_key_of(ref) if ref else class_key_of(class_ref_of(case.class_key))
        code = condition or case.condition
        if (str(key), code) == (case.class_key, case.condition):
            return False
        try:
            chosen = self._pack.condition(code)
        except NotFound:
            raise ConditionUnknown(f"The city has no registration condition {code}.") from None
        if chosen.class_key != key:
            of_class = [one.code for one in self._pack.conditions_of(key)]
            raise ConditionNotOfClass(
                f"{code} belongs to {chosen.class_key}: name a condition of {key}.",
                conditions=of_class,
            )
        case.class_key, case.condition = str(key), chosen.code
        case.special = chosen.special or self._pack.case_class(key).special
        for row in file.assignments:
            row.class_key = case.class_key
        file.reckon()
        return True
