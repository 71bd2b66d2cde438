"""Whose finding counts."""

from collections.abc import Collection

from services.dispatch.case_files.domain import Action
from shared.events.vocabulary import Finding

MOVES = {
    Finding.PASSED: Action.PASS_VERIFICATION,
    Finding.FAILED: Action.FAIL_VERIFICATION,
}
"""What a finding does to the case; any other leaves it undecided."""


def independent(finder: str, involved: Collection[str | None]) -> bool:
    """Whether a finding is by somebody who neither dispatched nor handled the case."""
    return finder not in involved


def move_for(finding: Finding, *, counts: bool) -> Action:
    """The step that a finding leads to; one that does not count decides nothing."""
    return MOVES.get(finding, Action.LEAVE_UNDECIDED) if counts else Action.LEAVE_UNDECIDED
