"""The row of a precedent: a decision on whose a class is on a ground."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.dispatch.base import DispatchAggregate

_IN_FORCE = sa.text("revoked_at IS NULL")


class Precedent(DispatchAggregate, table=True):
    """What a coordination has decided, offered first the next time; revoked, it is kept.

    Attributes:
        class_key: `scheme:kind:code`.
        grid: the ground it holds for.
        basis: the rule it rests on, in words.
        by_office: decided by the leading group's office, not by the centre.
    """

    __tablename__ = "precedents"
    __table_args__ = (
        sa.Index(
            "ix_precedents_in_force",
            "class_key",
            "grid",
            "decided_at",
            postgresql_where=_IN_FORCE,
            sqlite_where=_IN_FORCE,
        ),
        sa.Index("ix_precedents_unit_id", "unit", "id"),
        sa.Index("ix_precedents_class_key_grid_id", "class_key", "grid", "id"),
    )

    class_key: str = Field(max_length=120)
    grid: str = Field(max_length=30)
    unit: str = Field(max_length=60)
    basis: str = Field(max_length=500)
    coordination_id: UUID = Field(unique=True)
    case_id: UUID = Field(foreign_key="cases.id")
    by_office: bool = False
    decided_at: datetime
    decided_by: str = Field(max_length=80)
    revoked_at: datetime | None = None
    revoked_by: str | None = Field(default=None, max_length=80)
    revocation_reason: str | None = Field(default=None, sa_column=sa.Column(sa.Text()))
