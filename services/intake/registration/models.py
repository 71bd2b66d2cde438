"""Where the day's numbers begin."""

import sqlalchemy as sa
from sqlmodel import Field

from services.intake.base import IntakeTable


class ReportNumberDay(IntakeTable, table=True):
    """The running number that a day's report numbers count from.

    Attributes:
        day: YYYYMMDD in the city's zone.
        base: on PostgreSQL, the value of the column's own sequence when the day began.
        last: on SQLite, the last number given.
    """

    __tablename__ = "report_number_days"

    day: str = Field(primary_key=True, max_length=8)
    base: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(), nullable=False))
    last: int = 0


class CaseNumberDay(IntakeTable, table=True):
    """The same for case numbers."""

    __tablename__ = "case_number_days"

    day: str = Field(primary_key=True, max_length=8)
    base: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(), nullable=False))
    last: int = 0
