"""How the ledger is shown in figures."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.dispatch.case_files.schemas import TextView
from services.dispatch.supervision.domain import OrderKind
from shared.vocabulary import SupervisionCause


class LedgerFigures(BaseModel):
    """The orders to one unit for one cause: on time, late, and the three colours make them all."""

    unit: str
    unit_name: TextView | None
    cause: SupervisionCause
    kind: OrderKind
    ordered: int
    green: int = Field(description="not accepted yet, and time is left")
    yellow: int = Field(description="not accepted yet, and time is about to run out")
    red: int = Field(description="not accepted yet, and overdue")
    on_time: int = Field(description="accepted, and answered in time")
    late: int = Field(description="accepted, and answered too late")
    overdue: int = Field(description="red and late together")
    struck_off: int
    published: int
    extended: int
    acknowledged_late: int = Field(description="not acknowledged within the stage limit")


class LedgerView(BaseModel):
    """The ledger in figures, as of `at`."""

    at: datetime
    items: list[LedgerFigures]
