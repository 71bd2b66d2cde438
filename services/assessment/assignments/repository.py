"""Reads whole columns of a table at once, as the database itself puts them together."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_HEAD = 20
"""Bytes before the first element of an array of one dimension: how many dimensions, whether there
are nulls, the type, the length and the first index; four bytes each."""

_LENGTH = ("length", ">i4")
"""What stands before each element."""


async def whole_columns(
    connection: AsyncConnection,
    columns: Mapping[str, sa.ColumnElement[Any]],
    forms: Mapping[str, str],
    conditions: list[sa.ColumnElement[bool]],
) -> dict[str, npt.NDArray[Any]]:
    """Columns of all rows that meet the conditions, in one and the same order. PostgreSQL only.

    The server sends one array a column instead of a row at a time, so that a hundred thousand rows
    are read without a Python object for any of their values.

    Args:
        connection: to a PostgreSQL server.
        columns: expressions of a fixed width that are never null, by name.
        forms: numpy's form of each expression as the server sends it, e.g. `>i4`, `V16`.
        conditions: which rows.
    """
    arrays = [
        sa.func.array_send(sa.func.array_agg(column), type_=sa.LargeBinary).label(name)
        for name, column in columns.items()
    ]
    row = (await connection.execute(sa.select(*arrays).where(*conditions))).one()
    return {name: _elements(data, forms[name]) for name, data in zip(columns, row, strict=True)}


def _elements(data: bytes | None, form: str) -> npt.NDArray[Any]:
    """The elements of an array in the server's binary form; none of a null, which is no rows."""
    if data is None:
        return np.zeros(0, form)
    return np.frombuffer(data, [_LENGTH, ("value", form)], offset=_HEAD)["value"]
