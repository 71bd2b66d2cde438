"""Lists by keyset: the next page begins after the last row seen, flat at any depth."""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel

from shared.errors import InvalidInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 2_000
_GREATEST = 2**63 - 1

T = TypeVar("T")
R = TypeVar("R")


class CursorInvalid(InvalidInput):
    code = "cursor-invalid"
    status = 400
    title = "This cursor is not from this list"


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T]
    next_cursor: str | None = None


class PageRequest(BaseModel):
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


async def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows a page")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before")
    ] = None,
) -> PageRequest:
    """The page that a request asks for; a dependency of list endpoints."""
    return PageRequest(limit=limit, cursor=cursor)


def after(
    statement: Any, columns: Sequence[Any], request: PageRequest, *, descending: bool = False
) -> Any:
    """Order a SELECT by `columns` (the last one unique) and let it begin after the cursor.

    One row more than asked for is read, which tells `page_of` whether there is a next page.
    """
    if request.cursor:
        values = [
            _literal(column, value)
            for column, value in zip(columns, _decode(request.cursor, len(columns)), strict=True)
        ]
        row, mark = sa.tuple_(*columns), sa.tuple_(*values)
        statement = statement.where(row < mark if descending else row > mark)
    order = [sa.desc(column) if descending else sa.asc(column) for column in columns]
    return statement.order_by(*order).limit(request.limit + 1)


def rows_after(
    rows: Sequence[R], request: PageRequest, key: Callable[[R], Sequence[Any]]
) -> list[R]:
    """What `after` does, for rows in memory that are sorted by `key`: plain numbers and texts."""
    if not request.cursor:
        return list(rows[: request.limit + 1])
    if not rows:
        return []
    mark = _decode(request.cursor, len(key(rows[0])))
    try:
        first = bisect_right(rows, mark, key=lambda row: list(key(row)))
    except TypeError as error:
        raise CursorInvalid("Begin again without `cursor`.") from error
    return list(rows[first : first + request.limit + 1])


def page_of(
    rows: Sequence[R],
    request: PageRequest,
    key: Callable[[R], Sequence[Any]],
    present: Callable[[R], T],
) -> Page[T]:
    """Make the page from the rows that `after` asked for; `key` gives the values of its columns."""
    shown = rows[: request.limit]
    more = len(rows) > request.limit
    return Page(
        items=[present(row) for row in shown],
        next_cursor=_encode(key(shown[-1])) if more and shown else None,
    )


def _literal(column: Any, value: Any) -> Any:
    return sa.literal(_typed(column, value), type_=column.type)


def _typed(column: Any, value: Any) -> Any:
    # Decorated types, such as our instants, know the Python type only of what they decorate.
    decorated = isinstance(column.type, sa.TypeDecorator)
    python_type = (column.type.impl_instance if decorated else column.type).python_type
    try:
        if python_type is UUID:
            return UUID(value)
        if python_type is datetime:
            return _instant(value)
        if python_type is int and abs(int(value)) > _GREATEST:
            raise OverflowError(value)  # noqa: TRY301 - answered below
        if python_type in {int, float, bool}:
            return python_type(value)
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise CursorInvalid("Begin again without `cursor`.") from error
    if not isinstance(value, str) or "\x00" in value:
        raise CursorInvalid("Begin again without `cursor`.")
    return value


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.utcoffset() is None:
        raise ValueError("an instant without an offset")
    return instant.astimezone(UTC)


def _encode(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    text = json.dumps(plain, default=str, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (ValueError, binascii.Error, UnicodeError, RecursionError) as error:
        raise CursorInvalid("Begin again without `cursor`.") from error
    if not isinstance(values, list) or len(values) != length:
        raise CursorInvalid("Begin again without `cursor`.")
    return values
