"""What is known about reports and cases, so that a ticket linked late still learns everything.

Most reports and cases have no ticket. Each fact costs one statement on its own row; only where
`followed` is set are tickets looked for.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineTable


class ReportProgress(HotlineTable, table=True):
    """How a report has fared.

    Attributes:
        followed: at least one ticket has followed it.
        merged_into: the report that it was merged into.
        case_id: set when it became a case.
        rejected_reason: set when it was not accepted.
    """

    __tablename__ = "report_progress"

    report_id: UUID = Field(primary_key=True)
    followed: bool = False
    merged_into: UUID | None = None
    case_id: UUID | None = None
    rejected_at: datetime | None = None
    rejected_reason: str | None = Field(default=None, sa_type=sa.Text)


class CaseProgress(HotlineTable, table=True):
    """How far a case has come.

    Attributes:
        followed: at least one ticket has followed it.
        state: the last fact heard of, null while only its registration is known.
    """

    __tablename__ = "case_progress"

    case_id: UUID = Field(primary_key=True)
    followed: bool = False
    number: str | None = Field(default=None, max_length=40)
    state: str | None = Field(default=None, max_length=40)
    unit: str | None = Field(default=None, max_length=80)
    changed_at: datetime | None = None
    outcome: str | None = Field(default=None, max_length=60)
    conclusion: str | None = Field(default=None, max_length=2_000)
