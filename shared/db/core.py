"""Statements on plain tables within a session's transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable
from sqlmodel.ext.asyncio.session import AsyncSession


async def execute(
    session: AsyncSession,
    statement: Executable,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement on the session's own connection; changed objects are not flushed for it.

    Args:
        session: whose transaction it belongs to.
        statement: SELECT, INSERT, UPDATE, DELETE or text.
        rows: one set of parameters each, for many rows at once.
    """
    connection = await session.connection()
    return await connection.execute(statement, rows)
