"""What a timer is: a column with a due time, and what is done when it has come."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

if TYPE_CHECKING:
    from shared.service import Runtime
    from shared.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Ring:
    """A timer that has come due.

    Attributes:
        timer: its name.
        subject: key of the row.
        due_at: when it was due, however late it rings; what is told carries this time.
    """

    timer: str
    subject: UUID
    due_at: datetime


@dataclass(frozen=True)
class Timer:
    """The timers of one table: every row whose `due` is not null has one.

    Attributes:
        name: unique in the service; also the actor `rule:<name>` of what it does.
        due: the column; it needs an index, best a partial one on the rows where it is not null.
        ring: what is done, in a transaction in which the column of this row has been emptied. It
            sets the column again if there is a next time. Whatever it raises undoes all of it.
    """

    name: str
    due: sa.Column[Any]
    ring: Callable[[Ring, "UnitOfWork", "Runtime"], Awaitable[None]]

    @classmethod
    def on(
        cls,
        name: str,
        table: Any,
        column: str,
        ring: Callable[[Ring, "UnitOfWork", "Runtime"], Awaitable[None]],
    ) -> "Timer":
        """The timers in a column of a model class."""
        return cls(name, table.__table__.c[column], ring)

    @property
    def table(self) -> sa.Table:
        found: sa.Table = self.due.table
        return found

    @property
    def key(self) -> sa.Column[Any]:
        """The one column of the table's primary key."""
        (found,) = self.table.primary_key.columns
        return found
