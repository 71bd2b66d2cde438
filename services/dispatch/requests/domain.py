"""Requests that somebody else decides, and what makes one acceptable."""

from datetime import datetime
from enum import StrEnum

from services.dispatch.case_files.domain import Action
from services.dispatch.requests.errors import DeferralDateOver, ExtensionOfOtherKind
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


def check_extension(limit: Limit, asked: Limit) -> None:
    """An extension is stated in the kind of time of the limit that it lengthens.

    Raises:
        ExtensionOfOtherKind: it is not; `kind` names the one to use.
    """
    if asked.kind is not limit.kind:
        raise ExtensionOfOtherKind(
            f"The limit of this case counts {limit.kind}: state the extension in {limit.kind}.",
            kind=limit.kind.value,
        )


def check_deferral(until: datetime, now: datetime) -> None:
    """A case is put off to a time that is still to come.

    Raises:
        DeferralDateOver: it has come already.
    """
    if until <= now:
        raise DeferralDateOver(
            "The date until which the case is to be put off has passed: name a later one."
        )
