"""Reads the ledger: figures by unit and cause, and the whole as a table."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from services.dispatch.case_files.schemas import TextView
from services.dispatch.supervision.domain import KIND_OF, order_light
from services.dispatch.supervision.models import OrderCase, SupervisionOrder
from services.dispatch.supervision.repository import OrderQuery, OrderRepository
from services.dispatch.supervision_ledger.domain import table
from services.dispatch.supervision_ledger.errors import LedgerTooLong
from services.dispatch.supervision_ledger.schemas import LedgerFigures
from shared.db.database import ReadSession
from shared.pack.model import CityPack

MAX_ROWS = 20_000
"""Longest table; what is longer is no table that anybody reads."""


class LedgerService:
    """Looks into the ledger; changes nothing."""

    def __init__(self, session: ReadSession, pack: CityPack) -> None:
        self.repository = OrderRepository(session)
        self.pack = pack
        self.zone = ZoneInfo(pack.city.zone)

    async def figures(self, query: OrderQuery) -> list[LedgerFigures]:
        """Counts by unit and cause of the orders that the query means."""
        return [
            LedgerFigures(
                unit_name=self._unit_name(row.unit),
                kind=KIND_OF[row.cause],
                overdue=row.red + row.late,
                **row._asdict(),
            )
            for row in await self.repository.figures(query)
        ]

    async def table(self, query: OrderQuery, language: str) -> str:
        """The orders that the query means, one a row, oldest first; times are the city's.

        Raises:
            LedgerTooLong: there are more than one table takes.
        """
        orders = await self.repository.whole(query, limit=MAX_ROWS + 1)
        if len(orders) > MAX_ROWS:
            raise LedgerTooLong(
                f"More than {MAX_ROWS} entries: narrow it by ordered_from and ordered_to, or unit."
            )
        cases = await self.repository.cases_of([order.id for order in orders])
        rows = (self._row(order, cases.get(order.id, []), query.now, language) for order in orders)
        return table(rows, chinese=language == "zh")

    def _row(
        self, order: SupervisionOrder, cases: Sequence[OrderCase], now: datetime, language: str
    ) -> Sequence[str]:
        unit = self.pack.units.get(order.unit)
        settled = order.answered_at is not None
        in_time = settled and (order.answered_at or now) <= order.due_at
        return (
            order.number,
            order.title,
            KIND_OF[order.cause].value,
            order.cause.value,
            order.level.value,
            order.unit,
            "" if unit is None else unit.name.in_language(language),
            " ".join(case.case_number for case in cases),
            order.asked,
            order.source or "",
            order.reference or "",
            self._local(order.ordered_at),
            self._local(order.acknowledged_at),
            self._local(order.first_due_at),
            self._local(order.due_at),
            order_light(order.warn_at, order.due_at, order.answered_at, now).value,
            order.state.value,
            self._local(order.answered_at),
            ("yes" if in_time else "no") if settled else "",
            self._local(order.struck_off_at),
            order.bulletin or "",
        )

    def _local(self, instant: datetime | None) -> str:
        return "" if instant is None else f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"

    def _unit_name(self, code: str) -> TextView | None:
        unit = self.pack.units.get(code)
        return None if unit is None else TextView(zh=unit.name.zh, en=unit.name.en)
