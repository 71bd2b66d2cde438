"""Versions over HTTP: ETag tells which one was read, If-Match which one a command was meant for."""

from typing import Annotated

from fastapi import Header, Response

from shared.db.tables import Aggregate
from shared.errors import Conflict, InvalidInput


class PreconditionFailed(Conflict):
    code = "version-changed"
    status = 412
    title = "It has changed since you read it"


class PreconditionRequired(InvalidInput):
    code = "if-match-required"
    status = 428
    title = "Say which version you mean"


IfMatch = Annotated[
    str | None,
    Header(description='the ETag of the version this is meant for, e.g. "3"', max_length=40),
]


def etag_of(aggregate: Aggregate) -> str:
    return f'"{aggregate.version}"'


def set_etag(response: Response, aggregate: Aggregate) -> None:
    response.headers["ETag"] = etag_of(aggregate)


def check_match(aggregate: Aggregate, if_match: str | None, *, required: bool = False) -> None:
    """Refuse a command that was meant for another version.

    Raises:
        PreconditionRequired: none was named although this command needs one.
        PreconditionFailed: it has changed; `current` names the version it has now.
    """
    if if_match is None:
        if required:
            raise PreconditionRequired("Read it first and send its ETag in If-Match.")
        return
    current = etag_of(aggregate)
    if if_match.strip() not in {current, "*"}:
        raise PreconditionFailed(
            "Read it again, look at what changed, and repeat the command if it still holds.",
            current=current,
        )
