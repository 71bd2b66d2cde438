"""The states of a case and the one table that says what may be done in each of them."""

from collections.abc import Mapping
from enum import StrEnum

from services.dispatch.case_files.errors import NotAllowedNow
from services.dispatch.clocks.domain import SegmentKind
from shared.pack.model import Stage


class CaseState(StrEnum):
    """Where a case stands."""

    AWAITING_DISPATCH = "awaiting-dispatch"
    IN_COORDINATION = "in-coordination"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    HANDLED = "handled"
    VERIFICATION_ASKED = "verification-asked"
    VERIFYING = "verifying"
    VERIFICATION_UNDECIDED = "verification-undecided"
    VERIFIED = "verified"
    CLOSED = "closed"
    VOIDED = "voided"


class CaseCategory(StrEnum):
    """What a case is filed under, apart from its class."""

    ORDINARY = "ordinary"
    NO_RESPONSIBLE_SUBJECT = "no-responsible-subject"
    """Nobody answers for it: put right on behalf, paid from the year's fund."""


class Action(StrEnum):
    """What moves a case, or needs it to stand somewhere."""

    DISPATCH = "dispatch"
    OPEN_COORDINATION = "open-coordination"
    END_COORDINATION = "end-coordination"
    ACCEPT = "accept"
    HAND_IN_FEEDBACK = "hand-in-feedback"
    ACCEPT_FEEDBACK = "accept-feedback"
    REFUSE_FEEDBACK = "refuse-feedback"
    ASK_VERIFICATION = "ask-verification"
    CLOSE = "close"
    ASK_RETURN = "ask-return"
    ASK_EXTENSION = "ask-extension"
    ASK_DEFERRAL = "ask-deferral"
    GRANT_RETURN = "grant-return"
    GRANT_EXTENSION = "grant-extension"
    GRANT_DEFERRAL = "grant-deferral"
    RESUME = "resume"
    ASK_VOID = "ask-void"
    VOID = "void"
    URGE = "urge"
    # Facts that come from outside; nobody is offered them.
    BEGIN_VERIFICATION = "begin-verification"
    PASS_VERIFICATION = "pass-verification"  # noqa: S105 - a finding, not a secret
    FAIL_VERIFICATION = "fail-verification"
    LEAVE_UNDECIDED = "leave-undecided"
    REOPEN = "reopen"


S = CaseState

FINAL = frozenset({S.CLOSED, S.VOIDED})
WITH_UNIT = frozenset({S.DISPATCHED, S.ACCEPTED, S.DEFERRED})
SENT_OUT = frozenset({S.VERIFICATION_ASKED, S.VERIFYING})
_AFTER_HANDLING = frozenset({S.HANDLED, *SENT_OUT, S.VERIFICATION_UNDECIDED, S.VERIFIED})
_OPEN = frozenset(CaseState) - FINAL


def _staying(*states: CaseState) -> dict[CaseState, CaseState]:
    return {state: state for state in states}


TRANSITIONS: Mapping[Action, Mapping[CaseState, CaseState]] = {
    Action.DISPATCH: {S.AWAITING_DISPATCH: S.DISPATCHED},
    Action.OPEN_COORDINATION: {S.AWAITING_DISPATCH: S.IN_COORDINATION},
    Action.END_COORDINATION: {S.IN_COORDINATION: S.AWAITING_DISPATCH},
    Action.ACCEPT: {S.DISPATCHED: S.ACCEPTED},
    Action.HAND_IN_FEEDBACK: {S.ACCEPTED: S.HANDLED},
    Action.ACCEPT_FEEDBACK: {S.HANDLED: S.VERIFICATION_ASKED},
    Action.REFUSE_FEEDBACK: {S.HANDLED: S.ACCEPTED},
    Action.ASK_VERIFICATION: {S.VERIFICATION_UNDECIDED: S.VERIFICATION_ASKED},
    Action.BEGIN_VERIFICATION: {S.VERIFICATION_ASKED: S.VERIFYING},
    Action.PASS_VERIFICATION: {S.VERIFICATION_ASKED: S.VERIFIED, S.VERIFYING: S.VERIFIED},
    Action.FAIL_VERIFICATION: {
        S.VERIFICATION_ASKED: S.AWAITING_DISPATCH,
        S.VERIFYING: S.AWAITING_DISPATCH,
    },
    Action.LEAVE_UNDECIDED: {
        S.VERIFICATION_ASKED: S.VERIFICATION_UNDECIDED,
        S.VERIFYING: S.VERIFICATION_UNDECIDED,
    },
    Action.CLOSE: {S.VERIFIED: S.CLOSED},
    Action.REOPEN: {S.CLOSED: S.AWAITING_DISPATCH},
    Action.ASK_RETURN: _staying(S.DISPATCHED, S.ACCEPTED),
    Action.ASK_EXTENSION: _staying(S.ACCEPTED),
    Action.ASK_DEFERRAL: _staying(S.ACCEPTED),
    Action.GRANT_RETURN: dict.fromkeys(WITH_UNIT, S.AWAITING_DISPATCH),
    # Asked in time and decided late: the unit still has it coming after it has handed in.
    Action.GRANT_EXTENSION: _staying(S.ACCEPTED, S.DEFERRED, *_AFTER_HANDLING),
    Action.GRANT_DEFERRAL: {S.ACCEPTED: S.DEFERRED},
    Action.RESUME: {S.DEFERRED: S.ACCEPTED},
    Action.ASK_VOID: _staying(*_OPEN),
    Action.VOID: dict.fromkeys(_OPEN, S.VOIDED),
    Action.URGE: _staying(*_OPEN),
}
"""Action -> state before -> state after. What is not here is not allowed."""

OFFERED = frozenset(Action) - {
    Action.BEGIN_VERIFICATION,
    Action.PASS_VERIFICATION,
    Action.FAIL_VERIFICATION,
    Action.LEAVE_UNDECIDED,
    Action.REOPEN,
}

STAGE_OF: Mapping[CaseState, SegmentKind | None] = {
    S.AWAITING_DISPATCH: SegmentKind.DISPATCH,
    S.IN_COORDINATION: SegmentKind.COORDINATION,
    S.DISPATCHED: SegmentKind.HANDLING,
    S.ACCEPTED: SegmentKind.HANDLING,
    S.DEFERRED: SegmentKind.DEFERRAL,
    S.HANDLED: SegmentKind.SUPERVISION,
    S.VERIFICATION_ASKED: SegmentKind.SENDING_OUT,
    S.VERIFICATION_UNDECIDED: SegmentKind.SENDING_OUT,
    S.VERIFYING: SegmentKind.VERIFICATION,
    S.VERIFIED: SegmentKind.CLOSING,
    S.CLOSED: None,
    S.VOIDED: None,
}
"""Which clock runs in a state; none in the archive."""

CENTRE_STAGES: Mapping[SegmentKind, Stage] = {
    SegmentKind.DISPATCH: Stage.DISPATCH,
    SegmentKind.SUPERVISION: Stage.SUPERVISION,
    SegmentKind.SENDING_OUT: Stage.SENDING_OUT,
    SegmentKind.VERIFICATION: Stage.VERIFICATION,
    SegmentKind.CLOSING: Stage.CLOSING,
}
"""Stages whose limit the city sets once; that of handling comes with each dispatch."""

POSTS: Mapping[SegmentKind, str] = {
    SegmentKind.DISPATCH: "dispatcher",
    SegmentKind.COORDINATION: "centre",
    SegmentKind.SUPERVISION: "centre",
    SegmentKind.SENDING_OUT: "centre",
    SegmentKind.VERIFICATION: "collector",
    SegmentKind.CLOSING: "centre",
}
"""Who holds the case in a stage; in the others it is the unit."""


_ALLOWED: Mapping[CaseState, tuple[str, ...]] = {
    state: tuple(sorted(action.value for action in OFFERED if state in TRANSITIONS[action]))
    for state in CaseState
}


def allowed_actions(state: CaseState) -> list[str]:
    """What people may do with a case in this state, as the API names it."""
    return list(_ALLOWED[state])


def next_state(state: CaseState, action: Action) -> CaseState:
    """The state after an action.

    Raises:
        NotAllowedNow: the table has no such step; it names the state and what is allowed.
    """
    after = TRANSITIONS[action].get(state)
    if after is None:
        allowed = allowed_actions(state)
        raise NotAllowedNow(
            f"A case that is {state} does not allow {action}."
            f" Allowed now: {', '.join(allowed) or 'nothing'}.",
            state=state.value,
            allowed=allowed,
        )
    return after
