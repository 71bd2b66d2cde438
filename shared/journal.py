"""Reading an aggregate's journal: who did what to it, when, from where to where, why."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.db.core import execute
from shared.db.tables import KernelTables


class JournalEntry(BaseModel):
    """One line of a journal; `at` is UTC."""

    id: UUID
    at: datetime
    actor_id: str
    actor_role: str | None
    action: str
    from_state: str | None
    to_state: str | None
    reason: str | None
    details: dict[str, Any]
    correlation_id: str | None


async def read_journal(
    session: AsyncSession, tables: KernelTables, aggregate: str, subject: UUID
) -> list[JournalEntry]:
    """All entries of one aggregate (named by its table), oldest first."""
    table = tables.journal
    statement = (
        sa.select(table)
        .where(table.c.aggregate == aggregate, table.c.subject == str(subject))
        .order_by(table.c.id)
    )
    rows = await execute(session, statement)
    return [JournalEntry.model_validate(row._asdict()) for row in rows]
