"""The ledger as one document."""

from typing import Literal

from pydantic import Field

from services.dispatch.fund.schemas import EntryView, LedgerView

Format = Literal["xlsx", "csv", "json"]


class LedgerDocument(LedgerView):
    """Totals and every entry of a year."""

    booked: list[EntryView] = Field(description="in the order of booking")
