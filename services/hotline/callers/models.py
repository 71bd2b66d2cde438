"""The caller: everything that could name or reach a person is sealed."""

from datetime import datetime

from sqlmodel import Field

from services.hotline.base import HotlineAggregate


class Caller(HotlineAggregate, table=True):
    """Somebody who has called.

    Attributes:
        number_sealed: None once erased.
        number_index: keyed mark of the number, or `erased:` and the id.
        seen_at: last call or ticket.
    """

    __tablename__ = "callers"

    number_sealed: bytes | None = None
    number_index: str = Field(max_length=64, unique=True)
    name_sealed: bytes | None = None
    created_at: datetime
    seen_at: datetime
    erased_at: datetime | None = None

    @property
    def number_slot(self) -> str:
        return f"callers:{self.id}:number"

    @property
    def name_slot(self) -> str:
        return f"callers:{self.id}:name"
