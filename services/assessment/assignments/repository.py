"""Reads whole columns of a table at once, as the database itself puts them together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_HEAD = 20
"""Bytes before the first element of an array of one dimension: how many dimensions, whether there
are nulls, the type, the length and the first index; four bytes each."""

Conditions = Sequence[sa.ColumnElement[bool]]

_LENGTH = ("length", ">i4")
"""What stands before each element."""


async def whole_columns(
    connection: AsyncConnection,
    columns: Mapping[str, sa.ColumnElement[Any]],
    forms: Mapping[str, str],
    parts: Sequence[Conditions],
) -> dict[str, npt.NDArray[Any]]:
    """Columns of the rows of all parts, in one and the same order. PostgreSQL only.

    The server sends one array a column instead of a row at a time, so that a hundred thousand rows
    are read without a Python object for any of their values. Every part is fetched by itself, none
    longer than a statement may take, and all parts are of one instant: a row that is moved from
    one to another meanwhile is there exactly once.

    Args:
        connection: to a PostgreSQL server.
        columns: expressions of a fixed width that are never null, by name.
        forms: numpy's form of each expression as the server sends it, e.g. `>i4`, `V16`.
        parts: which rows; one or more, and no row is in two of them.
    """
    arrays = [
        sa.func.array_send(sa.func.array_agg(column), type_=sa.LargeBinary).label(name)
        for name, column in columns.items()
    ]
    readings = [sa.select(*arrays).where(*part) for part in parts]
    # A cursor works out a part of the union when it is fetched, by what held when it was opened.
    statement = sa.union_all(*readings).execution_options(yield_per=1)
    async with connection.stream(statement) as rows:
        read = [row async for row in rows]
    return {
        name: np.concatenate([_elements(row[place], form) for row in read])
        for place, (name, form) in enumerate(forms.items())
    }


def _elements(data: bytes | None, form: str) -> npt.NDArray[Any]:
    """The elements of an array in the server's binary form; none of a null, which is no rows."""
    if data is None:
        return np.zeros(0, form)
    return np.frombuffer(data, [_LENGTH, ("value", form)], offset=_HEAD)["value"]
