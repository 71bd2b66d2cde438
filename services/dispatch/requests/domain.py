"""Requests that somebody else decides, and what makes one acceptable."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.dispatch.case_files.domain import Action
from services.dispatch.requests.errors import (
    DeferralDateOver,
    DeferralsUsedUp,
    DeferralTooLong,
    ExtensionOfOtherKind,
    ExtensionsUsedUp,
    ExtensionTooLate,
)
from shared.worktime import Limit


class RequestKind(StrEnum):
    """What is asked for."""

    RETURN = "return"
    EXTENSION = "extension"
    DEFERRAL = "deferral"
    VOID = "void"


class RequestState(StrEnum):
    """What became of it; `lapsed` when the case went on before anybody decided."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


ASKING = {
    RequestKind.RETURN: Action.ASK_RETURN,
    RequestKind.EXTENSION: Action.ASK_EXTENSION,
    RequestKind.DEFERRAL: Action.ASK_DEFERRAL,
    RequestKind.VOID: Action.ASK_VOID,
}
GRANTING = {
    RequestKind.RETURN: Action.GRANT_RETURN,
    RequestKind.EXTENSION: Action.GRANT_EXTENSION,
    RequestKind.DEFERRAL: Action.GRANT_DEFERRAL,
    RequestKind.VOID: Action.VOID,
}

LAPSE_ON_HANDING_IN = frozenset({RequestKind.RETURN, RequestKind.DEFERRAL})
"""A unit that says it is done neither returns the case nor puts it off."""


@dataclass(frozen=True, slots=True)
class RequestRules:
    """Parameters of asking and granting; docs/rules.md tells where each comes from.

    Attributes:
        extensions_at_most: granted on one clock of a unit.
        extension_in_time_only: an extension is asked for before the limit has run out.
        deferrals_at_most: granted on one clock of a unit.
        deferral_longest: from the asking to the date asked for.
        two_level: kinds that a dispatcher proposes to grant and somebody above consents to.
    """

    extensions_at_most: int = 2
    extension_in_time_only: bool = True
    deferrals_at_most: int = 1
    deferral_longest: timedelta = timedelta(days=366)
    two_level: frozenset[RequestKind] = frozenset({RequestKind.EXTENSION})


def check_extension(
    rules: RequestRules, limit: Limit, asked: Limit, *, granted: int, due_at: datetime, at: datetime
) -> None:
    """An extension is asked for in time, not too often, and in the kind of time of the limit.

    Args:
        rules: parameters.
        limit: that it would lengthen, extensions included.
        asked: how much more.
        granted: extensions granted on this clock of the unit before.
        due_at: when the limit runs out as things stand; at this very instant it is in time.
        at: when it is asked for.

    Raises:
        ExtensionOfOtherKind: it counts another kind of time; `kind` names the one to use.
        ExtensionTooLate: the limit has run out.
        ExtensionsUsedUp: so many were granted already.
    """
    if asked.kind is not limit.kind:
        raise ExtensionOfOtherKind(
            f"The limit of this case counts {limit.kind}: state the extension in {limit.kind}.",
            kind=limit.kind.value,
        )
    if granted >= rules.extensions_at_most:
        raise ExtensionsUsedUp(
            f"{granted} extensions were granted on this clock, and no more can be:"
            " hand in what is done, or ask for a deferral."
        )
    if rules.extension_in_time_only and at > due_at:
        raise ExtensionTooLate(
            "The limit has run out; an extension is asked for before that. Hand in what is done."
        )


def check_deferral(
    rules: RequestRules, until: datetime, *, granted: int, asked_at: datetime, now: datetime
) -> None:
    """A case is put off seldom, not for too long, and to a time that is still to come.

    Args:
        rules: parameters.
        until: the date.
        granted: deferrals granted on this clock of the unit before.
        asked_at: when it was asked for; the longest time counts from here.
        now: when it is looked at: asked for or granted.

    Raises:
        DeferralDateOver: the date has come already.
        DeferralTooLong: it is too far away; `latest` names the last possible one.
        DeferralsUsedUp: so many were granted already.
    """
    if until <= now:
        raise DeferralDateOver(
            "The date until which the case is to be put off has passed: name a later one."
        )
    latest = asked_at + rules.deferral_longest
    if until > latest:
        raise DeferralTooLong(
            f"A case is put off for {rules.deferral_longest.days} days at most:"
            f" name a date up to {latest.isoformat()}.",
            latest=latest.isoformat(),
        )
    if granted >= rules.deferrals_at_most:
        raise DeferralsUsedUp(
            f"{granted} deferral was granted on this clock, and no more can be."
            if granted == 1
            else f"{granted} deferrals were granted on this clock, and no more can be."
        )


def decided_in_time(decided_at: datetime | None, due_at: datetime | None) -> bool | None:
    """Whether the centre kept its own time to decide; None where it has none.

    The unit's clock runs until the decision, so a late decision is shown as the centre's overrun.
    """
    if decided_at is None or due_at is None:
        return None
    return decided_at <= due_at
