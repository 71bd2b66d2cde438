"""Folds of everything but cases: a subject's events in, the rows that are counted out.

Each fold is total: it answers for any selection of a subject's events, because some may still be on
their way, and answers the same for the same selection.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.assessment.events.domain import StoredEvent
from shared.events.hotline import (
    CallbackCompleted,
    CallEnded,
    TicketAnswered,
    TicketReferred,
    TicketReopened,
    TicketSubmitted,
    TicketWithdrawn,
)
from shared.events.identity import AccountChanged
from shared.events.intake import (
    PatrolRecorded,
    ReportMerged,
    ReportReceived,
    ReportRegistered,
    ReportRejected,
    ReportUnmerged,
    TaskAccepted,
    TaskCancelled,
    TaskCompleted,
    TaskExpired,
    TaskIssued,
)


class ReportState(StrEnum):
    RECEIVED = "received"
    REGISTERED = "registered"
    REJECTED = "rejected"
    MERGED = "merged"


class AttemptOutcome(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class TicketOutcome(StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    ANSWERED = "answered"
    REFERRED = "referred"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ReportFold:
    """What became of a report.

    Attributes:
        reporter_id: account or caller, opaque.
        decided_at: when it came into its present state.
        by_rule: registered by a rule of the pack, not by an operator.
        overturned: a rejection or a merge that had to be taken back.
    """

    report_id: UUID
    number: str | None = None
    source: str | None = None
    reporter_id: str | None = None
    grid: str | None = None
    received_at: datetime | None = None
    observed_at: datetime | None = None
    state: ReportState = ReportState.RECEIVED
    decided_at: datetime | None = None
    case_id: UUID | None = None
    by_rule: bool = False
    merged_into: UUID | None = None
    reason_code: str | None = None
    urgent: bool = False
    overturned: bool = False


def fold_report(events: Sequence[StoredEvent], report_id: UUID) -> ReportFold:
    """What became of one report; a merge that was undone leaves the state before it."""
    fold = ReportFold(report_id)
    before_merge = fold
    for stored in events:
        match stored.event:
            case ReportReceived() as event:
                fold = _received(fold, event)
            case ReportRegistered() as event:
                fold = _registered(fold, event)
            case ReportRejected() as event:
                fold = replace(
                    fold,
                    state=ReportState.REJECTED,
                    decided_at=stored.at,
                    source=event.source.value,
                    reporter_id=event.reporter_id or fold.reporter_id,
                    reason_code=event.reason_code,
                )
            case ReportMerged() as event:
                if fold.state is not ReportState.MERGED:
                    before_merge = fold
                fold = replace(
                    fold,
                    state=ReportState.MERGED,
                    decided_at=stored.at,
                    source=event.source.value,
                    reporter_id=event.reporter_id or fold.reporter_id,
                    merged_into=event.into_report_id,
                )
            case ReportUnmerged():
                fold = replace(
                    fold,
                    state=before_merge.state,
                    decided_at=before_merge.decided_at,
                    merged_into=None,
                    overturned=True,
                )
            case _:
                pass
    return fold


def _received(fold: ReportFold, event: ReportReceived) -> ReportFold:
    return replace(
        fold,
        number=event.number,
        source=event.source.value,
        reporter_id=event.reporter_id,
        grid=event.place.grid,
        received_at=event.received_at,
        observed_at=event.observed_at,
        urgent=event.urgent,
    )


def _registered(fold: ReportFold, event: ReportRegistered) -> ReportFold:
    return replace(
        fold,
        number=event.report_number,
        source=event.source.value,
        reporter_id=event.reporter_id or fold.reporter_id,
        grid=event.place.grid or fold.grid,
        received_at=event.received_at,
        observed_at=event.observed_at,
        state=ReportState.REGISTERED,
        decided_at=event.registered_at,
        case_id=event.case_id,
        by_rule=event.by_rule is not None,
        urgent=event.urgent,
        overturned=fold.overturned or fold.state is ReportState.REJECTED,
    )


@dataclass(frozen=True, slots=True)
class TaskAttempt:
    """One issue of a field task to one collector.

    Attributes:
        attempt: n-th issue of the task; after an expiry another collector gets the next one.
        in_time: completed within its limit.
    """

    task_id: UUID
    attempt: int
    kind: str
    collector: str
    issued_at: datetime
    case_id: UUID | None = None
    report_id: UUID | None = None
    outcome: AttemptOutcome = AttemptOutcome.OPEN
    ended_at: datetime | None = None
    in_time: bool | None = None
    finding: str | None = None


def fold_task(events: Sequence[StoredEvent], task_id: UUID) -> list[TaskAttempt]:
    """The issues of one task, first one first."""
    attempts: list[TaskAttempt] = []
    for stored in events:
        if isinstance(stored.event, TaskIssued):
            attempts.append(_issued(task_id, stored.event, stored.at))
        elif attempts:
            attempts[-1] = _moved(attempts[-1], stored)
    return list({attempt.attempt: attempt for attempt in attempts}.values())


def _issued(task_id: UUID, event: TaskIssued, at: datetime) -> TaskAttempt:
    return TaskAttempt(
        task_id=task_id,
        attempt=event.attempt,
        kind=event.kind.value,
        collector=event.collector,
        issued_at=at,
        case_id=event.case_id,
        report_id=event.report_id,
    )


def _moved(attempt: TaskAttempt, stored: StoredEvent) -> TaskAttempt:
    match stored.event:
        case TaskAccepted() as event:
            return replace(attempt, outcome=AttemptOutcome.ACCEPTED, collector=event.collector)
        case TaskCompleted() as event:
            return replace(
                attempt,
                outcome=AttemptOutcome.COMPLETED,
                collector=event.collector,
                ended_at=event.completed_at,
                in_time=event.in_time,
                finding=event.finding.value,
            )
        case TaskExpired() as event:
            return replace(attempt, outcome=AttemptOutcome.EXPIRED, ended_at=event.expired_at)
        case TaskCancelled():
            return replace(attempt, outcome=AttemptOutcome.CANCELLED, ended_at=stored.at)
        case _:
            return attempt


@dataclass(frozen=True, slots=True)
class PatrolFold:
    """A stretch of patrol: which grids, when; neither a track nor a distance."""

    subject: str
    sequence: int
    collector: str
    started_at: datetime
    ended_at: datetime
    grids: tuple[str, ...]


def fold_patrols(events: Sequence[StoredEvent]) -> list[PatrolFold]:
    return [
        PatrolFold(
            stored.subject,
            stored.sequence,
            stored.event.collector,
            stored.event.started_at,
            stored.event.ended_at,
            tuple(sorted(set(stored.event.grids))),
        )
        for stored in events
        if isinstance(stored.event, PatrolRecorded)
    ]


@dataclass(frozen=True, slots=True)
class CallFold:
    """A call that is over. `seconds_to_answer` is null when nobody answered."""

    subject: str
    sequence: int
    agent: str
    direction: str
    ended_at: datetime
    seconds_to_answer: float | None
    seconds: float
    outcome: str


def fold_calls(events: Sequence[StoredEvent]) -> list[CallFold]:
    return [
        CallFold(
            stored.subject,
            stored.sequence,
            stored.event.agent,
            stored.event.direction,
            stored.at,
            stored.event.seconds_to_answer,
            stored.event.seconds,
            stored.event.outcome,
        )
        for stored in events
        if isinstance(stored.event, CallEnded)
    ]


@dataclass(frozen=True, slots=True)
class CallbackFold:
    """One try to call back after closing."""

    ticket_id: UUID
    sequence: int
    agent: str
    at: datetime
    outcome: str
    satisfaction: str | None


@dataclass(frozen=True, slots=True)
class TicketFold:
    """What became of a caller's matter.

    Attributes:
        agent: who settled or submitted it.
        settled_at: when it came into its present outcome.
    """

    ticket_id: UUID
    number: str | None = None
    agent: str | None = None
    outcome: TicketOutcome = TicketOutcome.OPEN
    settled_at: datetime | None = None
    reopenings: int = 0
    callbacks: tuple[CallbackFold, ...] = field(default=())


def fold_ticket(events: Sequence[StoredEvent], ticket_id: UUID) -> TicketFold:
    fold = TicketFold(ticket_id)
    for stored in events:
        match stored.event:
            case TicketSubmitted() as event:
                fold = _settled(fold, TicketOutcome.SUBMITTED, event.number, stored.at, event.agent)
            case TicketAnswered() as event:
                fold = _settled(fold, TicketOutcome.ANSWERED, event.number, stored.at, event.agent)
            case TicketReferred() as event:
                fold = _settled(fold, TicketOutcome.REFERRED, event.number, stored.at, event.agent)
            case TicketWithdrawn() as event:
                fold = _settled(fold, TicketOutcome.WITHDRAWN, event.number, stored.at, fold.agent)
            case TicketReopened():
                fold = replace(fold, reopenings=fold.reopenings + 1)
            case CallbackCompleted() as event:
                callback = CallbackFold(
                    ticket_id,
                    stored.sequence,
                    event.agent,
                    stored.at,
                    event.outcome.value,
                    event.satisfaction.value if event.satisfaction else None,
                )
                fold = replace(fold, callbacks=(*fold.callbacks, callback))
            case _:
                pass
    return fold


def _settled(
    fold: TicketFold, outcome: TicketOutcome, number: str, at: datetime, agent: str | None
) -> TicketFold:
    return replace(fold, outcome=outcome, number=number, settled_at=at, agent=agent)


@dataclass(frozen=True, slots=True)
class AccountFold:
    """Which account name belongs to which account id, and to which body."""

    account_id: str
    login: str
    roles: tuple[str, ...]
    unit: str | None
    active: bool


def fold_account(events: Sequence[StoredEvent], account_id: str) -> AccountFold | None:
    """The account as it was told last; None while nothing about it has come."""
    changes = [stored.event for stored in events if isinstance(stored.event, AccountChanged)]
    if not changes:
        return None
    last = changes[-1]
    return AccountFold(account_id, last.login, last.roles, last.unit, last.active)
