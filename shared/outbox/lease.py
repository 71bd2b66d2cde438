"""One leader at a time, by a row with an expiry; a frozen leader loses it by itself."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from shared.clock import Clock
from shared.db.core import execute
from shared.db.database import Database
from shared.db.tables import KernelTables
from shared.ids import uuid7


class Lease:
    """The right to do one kind of work for a while.

    A leader that was stopped and thawed may still act once after losing it; what it does must be
    harmless when done twice.
    """

    def __init__(
        self,
        name: str,
        database: Database,
        tables: KernelTables,
        clock: Clock,
        *,
        duration: timedelta = timedelta(seconds=10),
    ) -> None:
        self._name = name
        self._database = database
        self._table = tables.lease
        self._clock = clock
        self._duration = duration
        self._owner = str(uuid7())

    async def hold(self) -> bool:
        """Take or renew the lease; False while another one holds it."""
        now = self._clock.now()
        table = self._table
        row: dict[str, Any] = {
            "name": self._name,
            "owner": self._owner,
            "epoch": 1,
            "until": now + self._duration,
        }
        insert = sqlite.insert(table) if self._database.is_sqlite else postgresql.insert(table)
        statement = (
            insert.values(row)
            .on_conflict_do_update(
                index_elements=[table.c.name],
                set_={
                    "owner": row["owner"],
                    "until": row["until"],
                    "epoch": sa.case(
                        (table.c.owner == self._owner, table.c.epoch), else_=table.c.epoch + 1
                    ),
                },
                where=sa.or_(table.c.owner == self._owner, table.c.until < now),
            )
            .returning(table.c.owner)
        )
        async with self._database.transaction() as session:
            return (await execute(session, statement)).first() is not None

    async def release(self) -> None:
        """Give it back, so that another process need not wait for the expiry."""
        async with self._database.transaction() as session:
            await execute(
                session,
                sa.delete(self._table).where(
                    self._table.c.name == self._name, self._table.c.owner == self._owner
                ),
            )
