"""Records in blocks, as they were told; and what the keys of units stand for."""

import sqlalchemy as sa
from sqlmodel import Field

from services.assessment.base import AssessmentTable


class RecordBlock(AssessmentTable, table=True):
    """Records of one cohort that arrived together; committed with the events they were made of.

    Attributes:
        cohort: first bits of the ids of the cases.
        amount: how many records.
        records: one after the other, in the form of `RECORD`.
    """

    __tablename__ = "record_blocks"
    __table_args__ = (sa.Index("ix_record_blocks_cohort", "cohort", "amount"),)

    position: int | None = Field(
        default=None,
        sa_column=sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(),
            primary_key=True,
        ),
    )
    cohort: int
    amount: int
    records: bytes


class RecordedUnit(AssessmentTable, table=True):
    """The code of a unit by its key in records."""

    __tablename__ = "recorded_units"

    key: int = Field(
        sa_column=sa.Column("key", sa.BigInteger(), primary_key=True, autoincrement=False)
    )
    code: str = Field(max_length=80)
