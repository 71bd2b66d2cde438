"""What is done next with a case, from where it stands and what is planned for it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from services.replay.marks import key_in
from services.replay.plan import Ask, End, Plan


class Deed(StrEnum):
    """A step that somebody takes; its name is part of the step's Idempotency-Key."""

    DISPATCH = "dispatch"
    VOID = "void"
    ASK = "ask"
    ACCEPT = "accept"
    FEED_BACK = "feed-back"
    REFUSE_FEEDBACK = "refuse-feedback"
    ACCEPT_FEEDBACK = "accept-feedback"
    VERIFY_AGAIN = "verify-again"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class CaseNow:
    """A case as the last list or answer showed it."""

    id: str
    key: str | None
    number: str
    state: str
    unit: str | None
    dispatches: int
    rounds: int
    failed: int

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        return cls(
            id=item["id"],
            key=key_in(item["description"]),
            number=item["number"],
            state=item["state"],
            unit=item["unit"],
            dispatches=item["dispatches"],
            rounds=item["verification_round"],
            failed=item["failed_verifications"],
        )


_FORWARD = {
    "dispatched": Deed.ACCEPT,
    "accepted": Deed.FEED_BACK,
    "handled": Deed.ACCEPT_FEEDBACK,
    "verification-undecided": Deed.VERIFY_AGAIN,
    "verified": Deed.CLOSE,
}
_ASKED_IN = {Ask.RETURN: "dispatched", Ask.EXTENSION: "accepted", Ask.DEFERRAL: "accepted"}


def next_deed(plan: Plan, case: CaseNow, done: Collection[Deed]) -> Deed | None:
    """The next step of a case; None where it stays, or where others have their turn.

    Args:
        plan: what is to become of it.
        case: where it stands.
        done: detours that this run has taken already.
    """
    if case.state == "awaiting-dispatch":
        if plan.end is End.VOIDED:
            return Deed.VOID
        waits = plan.end is End.AWAITING_DISPATCH and (case.dispatches > 0 or not plan.asks)
        return None if waits else Deed.DISPATCH
    if plan.asks and Deed.ASK not in done and case.state == _ASKED_IN[plan.asks]:
        return Deed.ASK
    if case.state == plan.end.value:
        return None
    refuse = plan.feedback_refused and Deed.REFUSE_FEEDBACK not in done
    if case.state == "handled" and refuse:
        return Deed.REFUSE_FEEDBACK
    return _FORWARD.get(case.state)


def is_at_end(plan: Plan, case: CaseNow, done: Collection[Deed]) -> bool:
    """Whether nobody has anything to do with a case any more."""
    return case.state == plan.end.value and next_deed(plan, case, done) is None


def finding_of(plan: Plan, round_: int) -> str | None:
    """What the collector finds in a round; None: nobody goes."""
    if plan.end is End.VERIFYING:
        return None
    return "failed" if round_ <= plan.fails else "passed"
