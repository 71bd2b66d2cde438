"""Offering likely duplicates, merging reports and taking a merge back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.clocks.service import reckon_report
from services.intake.duplicates import repository
from services.intake.duplicates.errors import MergeTargetGone, MergeWithItself
from services.intake.reports.domain import (
    ReportAction,
    ReportState,
    class_key,
    next_state,
    state_before_merge,
)
from services.intake.reports.models import Report
from services.intake.reports.repository import load, merged_into
from services.intake.tasks.service import TaskService
from shared.events.intake import ReportMerged, ReportUnmerged
from shared.events.vocabulary import ClassRef
from shared.geo import Position
from shared.pack.model import CityPack
from shared.work import UnitOfWork


async def likely_duplicates(
    session: AsyncSession,
    pack: CityPack,
    position: Position,
    class_ref: ClassRef | None,
    at: datetime,
    *,
    but: UUID | None = None,
) -> Sequence[tuple[Report, float]]:
    """What was reported near a place around an instant, by the city's rule for the class."""
    rule = pack.duplicates.of(class_key(class_ref) if class_ref else None)
    window = timedelta(hours=rule.window_hours)
    return await repository.near(
        session,
        position,
        radius_m=rule.radius_m,
        since=at - window,
        until=at + window,
        class_ref=class_ref,
        but=but,
    )


async def duplicates_of(
    session: AsyncSession, pack: CityPack, report: Report
) -> Sequence[tuple[Report, float]]:
    if report.longitude is None or report.latitude is None:
        return []
    position = Position(report.longitude, report.latitude)
    return await likely_duplicates(
        session, pack, position, report.class_ref, report.received_at, but=report.id
    )


class DuplicateService:
    """Merges: one report stands for several, and no reporter is lost."""

    def __init__(self, work: UnitOfWork, pack: CityPack, tasks: TaskService) -> None:
        self._work = work
        self._pack = pack
        self._tasks = tasks

    async def merge(self, report: Report, *, into: UUID) -> Report:
        """Let another report, or the one that already stands for it, stand for this one too.

        Raises:
            ReportStateForbids: this report is decided already.
            MergeTargetGone: the other one cannot stand for it.
        """
        chain = await self._chain(report, into)
        root = chain[-1]
        before = report.state
        report.state = next_state(before, ReportAction.MERGE)
        if before is ReportState.CHECKING:
            await self._tasks.cancel_check(report, "merged with another report")
        report.merged_from = state_before_merge(before).value
        report.merged_with = chain[0].id
        for follower in await merged_into(self._work.session, report.id):
            _attach(follower, root)
        _attach(report, root)
        report.decided_at, report.decided_by = self._work.now(), self._work.actor.id
        # Changing every report of the chain also lets a merge of one of them at the same time fail.
        for standing in chain:
            standing.reporters += report.reporters
        self._work.tell(
            report,
            ReportMerged(
                into_report_id=root.id,
                into_case_id=root.case_id,
                ticket_id=report.ticket_id,
                reporter_id=report.reporter_id,
                source=report.source,
            ),
        )
        self._work.record(
            report,
            "merge",
            from_state=before,
            to_state=report.state,
            details={"into": str(root.id)},
        )
        self._work.record(root, "take-in", details={"report": str(report.id)})
        return report

    async def unmerge(self, report: Report, *, reason: str) -> Report:
        """Let a report stand for itself again, with those that had been merged into it.

        Raises:
            ReportStateForbids: it is not merged.
        """
        next_state(report.state, ReportAction.UNMERGE)
        if report.merged_with is None or report.merged_into is None or report.merged_from is None:
            raise ValueError(f"report {report.number} is merged with nothing")
        chain = await self._standing(report.merged_with)
        root = chain[-1]
        for standing in chain:
            standing.reporters -= report.reporters
        for follower in await self._followers(report, root):
            _attach(follower, report)
        report.state = ReportState(report.merged_from)
        report.merged_with = report.merged_into = report.merged_from = None
        report.decided_at = report.decided_by = None
        _copy_case(report, None)
        if report.is_open:
            # The calendar may have changed while it was merged.
            reckon_report(report, self._pack)
        for follower in await self._followers(report, report):
            _copy_case(follower, None)
        self._work.tell(
            report,
            ReportUnmerged(from_report_id=root.id, ticket_id=report.ticket_id, reason=reason),
        )
        self._work.record(
            report,
            "unmerge",
            from_state=ReportState.MERGED,
            to_state=report.state,
            reason=reason,
            details={"from": str(root.id)},
        )
        self._work.record(root, "let-go", reason=reason, details={"report": str(report.id)})
        return report

    async def _chain(self, report: Report, into: UUID) -> list[Report]:
        """The report merged into and those that stand for it in turn; the last stands for all."""
        if into == report.id:
            raise MergeWithItself("Choose another report.")
        chain = await self._standing(into)
        root = chain[-1]
        if any(standing.id == report.id for standing in chain):
            raise MergeTargetGone(
                f"Report {root.number} already stands for the other one: they are merged."
            )
        if root.state is ReportState.REJECTED or root.case_state == "voided":
            raise MergeTargetGone(
                f"Report {root.number} was rejected or its case voided: it can stand for no other.",
                state=root.state.value,
            )
        return chain

    async def _standing(self, report_id: UUID) -> list[Report]:
        chain = [await load(self._work.session, report_id)]
        while (above := chain[-1].merged_with) is not None:
            chain.append(await load(self._work.session, above))
        return chain

    async def _followers(self, report: Report, root: Report) -> list[Report]:
        """Those of the root's reports that came to it by way of `report`."""
        rows = await merged_into(self._work.session, root.id)
        by_way, grown = {report.id}, True
        while grown:
            more = {row.id for row in rows if row.merged_with in by_way and row.id not in by_way}
            by_way |= more
            grown = bool(more)
        return [row for row in rows if row.id in by_way and row.id != report.id]


def _attach(report: Report, root: Report) -> None:
    report.merged_into = root.id
    _copy_case(report, root)


def _copy_case(report: Report, root: Report | None) -> None:
    """Give a merged report the case of the one that stands for it, for its reporter to follow."""
    report.case_id = root.case_id if root else None
    report.case_number = root.case_number if root else None
    report.case_state = root.case_state if root else None
    report.case_changed_at = root.case_changed_at if root else None
    report.conclusion = root.conclusion if root else None
