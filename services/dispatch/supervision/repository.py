"""Finding orders: by matter, as lists, one with its papers, and the ledger's figures."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.dispatch.case_files.models import Case
from services.dispatch.clocks.domain import Light
from services.dispatch.supervision.domain import ExtensionState, OrderState
from services.dispatch.supervision.models import (
    OrderAnswer,
    OrderCase,
    OrderExtension,
    OrderNumber,
    SupervisionOrder,
)
from shared.db.core import execute
from shared.vocabulary import SupervisionCause, SupervisionLevel
from shared.web.paging import PageRequest, after

_NUMBERS: sa.Table = OrderNumber.__table__  # type: ignore[attr-defined]
_CASES: sa.Table = Case.__table__  # type: ignore[attr-defined]
VALUES_A_STATEMENT = 1_000
DONE = (OrderState.ACCEPTED, OrderState.STRUCK_OFF, OrderState.PUBLISHED)


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What a list of orders is narrowed to; None leaves a filter out.

    Attributes:
        light: the order's colour as of `now`.
        open: True: on the ledger; False: struck off.
        newest: newest first, instead of what is due first.
    """

    now: datetime
    unit: str | None = None
    state: OrderState | None = None
    causes: Collection[SupervisionCause] | None = None
    level: SupervisionLevel | None = None
    light: Light | None = None
    case_id: UUID | None = None
    by_rule: bool | None = None
    open: bool | None = None
    ordered_from: datetime | None = None
    ordered_to: datetime | None = None
    newest: bool = False


class OrderRepository:
    """All SQL on supervision orders."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    def add(self, row: Any) -> None:
        self.session.add(row)

    async def next_number(self, at: datetime) -> int:
        """A running number that nobody else gets; one that is not used is a gap."""
        statement = _NUMBERS.insert().values(taken_at=at).returning(_NUMBERS.c.number)
        return int((await execute(self.session, statement)).scalar_one())

    async def order(self, order_id: UUID) -> SupervisionOrder | None:
        return await self.session.get(SupervisionOrder, order_id)

    async def open_of_matter(self, matter: str) -> SupervisionOrder | None:
        """The entry on the ledger that a matter has already."""
        statement = select(SupervisionOrder).where(
            SupervisionOrder.matter == matter, col(SupervisionOrder.struck_off_at).is_(None)
        )
        return (await self.session.exec(statement)).first()

    async def case(self, case_id: UUID) -> Case | None:
        return await self.session.get(Case, case_id)

    async def cases_of(self, orders: Sequence[UUID]) -> dict[UUID, list[OrderCase]]:
        """The cases of some orders, by order and number."""
        found: dict[UUID, list[OrderCase]] = defaultdict(list)
        # In slices: a statement takes only so many values.
        for begin in range(0, len(orders), VALUES_A_STATEMENT):
            statement = (
                select(OrderCase)
                .where(col(OrderCase.order_id).in_(orders[begin : begin + VALUES_A_STATEMENT]))
                .order_by(col(OrderCase.case_number))
            )
            for row in (await self.session.exec(statement)).all():
                found[row.order_id].append(row)
        return found

    async def mark_cases(self, cases: Collection[UUID], change: int) -> None:
        """Count an order more or less on each case.

        The mark is no step of the case: its version stays, so that nobody's work on it is refused
        because somebody was chased meanwhile.
        """
        if not cases:
            return
        statement = (
            sa.update(_CASES)
            .where(_CASES.c.id.in_(sorted(cases)))
            .values(open_orders=_CASES.c.open_orders + change)
        )
        await execute(self.session, statement)

    async def answers(self, order_id: UUID) -> Sequence[OrderAnswer]:
        statement = (
            select(OrderAnswer)
            .where(OrderAnswer.order_id == order_id)
            .order_by(col(OrderAnswer.number))
        )
        return (await self.session.exec(statement)).all()

    async def extension(self, order_id: UUID, number: int) -> OrderExtension | None:
        return await self.session.get(OrderExtension, (order_id, number))

    async def extensions(self, order_id: UUID) -> Sequence[OrderExtension]:
        statement = (
            select(OrderExtension)
            .where(OrderExtension.order_id == order_id)
            .order_by(col(OrderExtension.number))
        )
        return (await self.session.exec(statement)).all()

    async def pending_extension(self, order_id: UUID) -> OrderExtension | None:
        statement = select(OrderExtension).where(
            OrderExtension.order_id == order_id, OrderExtension.state == ExtensionState.ASKED
        )
        return (await self.session.exec(statement)).first()

    async def page(self, query: OrderQuery, request: PageRequest) -> Sequence[SupervisionOrder]:
        """One page and one row more, by due time or newest first."""
        return list((await self.session.exec(page_statement(query, request))).all())

    async def whole(self, query: OrderQuery, *, limit: int) -> Sequence[SupervisionOrder]:
        """All orders that a query means, oldest first, at most `limit`."""
        statement = (
            select(SupervisionOrder)
            .where(*_conditions(query))
            .order_by(col(SupervisionOrder.ordered_at), col(SupervisionOrder.id))
            .limit(limit)
        )
        return (await self.session.exec(statement)).all()

    async def figures(self, query: OrderQuery) -> Sequence[Any]:
        """The ledger counted by unit and cause."""
        return (await self.session.exec(figures_statement(query))).all()  # type: ignore[no-any-return]


def page_statement(query: OrderQuery, request: PageRequest) -> Any:
    """The SELECT of a page; apart, so that its plan can be looked at."""
    statement = select(SupervisionOrder).where(*_conditions(query))
    if query.newest:
        columns = [col(SupervisionOrder.ordered_at), col(SupervisionOrder.id)]
        return after(statement, columns, request, descending=True)
    return after(statement, [col(SupervisionOrder.due_at), col(SupervisionOrder.id)], request)


def figures_statement(query: OrderQuery) -> Any:
    """Counts by unit and cause; every order is in exactly one of on_time, late and the colours."""
    order = SupervisionOrder
    done = col(order.state).in_(DONE)
    in_time = col(order.answered_at) <= col(order.due_at)

    def counted(condition: Any, name: str) -> Any:
        return sa.func.sum(sa.case((condition, 1), else_=0)).label(name)

    return (
        sa.select(
            col(order.unit).label("unit"),
            col(order.cause).label("cause"),
            sa.func.count().label("ordered"),
            *(
                counted(sa.and_(sa.not_(done), *shines(light, query.now)), light.value)
                for light in (Light.GREEN, Light.YELLOW, Light.RED)
            ),
            counted(sa.and_(done, in_time), "on_time"),
            counted(sa.and_(done, sa.not_(in_time)), "late"),
            counted(col(order.struck_off_at).is_not(None), "struck_off"),
            counted(col(order.published_at).is_not(None), "published"),
            counted(col(order.due_at) != col(order.first_due_at), "extended"),
            counted(
                sa.func.coalesce(col(order.acknowledged_at), query.now)
                > col(order.acknowledge_due_at),
                "acknowledged_late",
            ),
        )
        .where(*_conditions(query))
        .group_by(col(order.unit), col(order.cause))
        .order_by(col(order.unit), col(order.cause))
    )


def _conditions(query: OrderQuery) -> list[Any]:
    order = SupervisionOrder
    equal = (
        (col(order.unit), query.unit),
        (col(order.state), query.state),
        (col(order.level), query.level),
    )
    found: list[Any] = [column == value for column, value in equal if value is not None]
    if query.causes is not None:
        found.append(col(order.cause).in_(query.causes))
    if query.by_rule is not None:
        by_rule = col(order.by_rule).is_not(None)
        found.append(by_rule if query.by_rule else sa.not_(by_rule))
    if query.open is not None:
        open_ = col(order.struck_off_at).is_(None)
        found.append(open_ if query.open else sa.not_(open_))
    if query.ordered_from is not None:
        found.append(col(order.ordered_at) >= query.ordered_from)
    if query.ordered_to is not None:
        found.append(col(order.ordered_at) < query.ordered_to)
    if query.case_id is not None:
        of_case = select(OrderCase.order_id).where(OrderCase.case_id == query.case_id)
        found.append(col(order.id).in_(of_case))
    if query.light is not None:
        found += shines(query.light, query.now)
    return found


def shines(light: Light, now: datetime) -> list[Any]:
    """The colour's definition as conditions: of now while an answer is owed, then of the answer."""
    warn_at, due_at = col(SupervisionOrder.warn_at), col(SupervisionOrder.due_at)
    measured = sa.func.coalesce(col(SupervisionOrder.answered_at), now)
    found: dict[Light, list[Any]] = {
        # Nothing is red before its date has come: said of the column that the index is made of.
        Light.RED: [due_at < measured, due_at < now],
        Light.YELLOW: [due_at >= measured, warn_at <= measured],
        Light.GREEN: [due_at >= measured, warn_at > measured],
        Light.NONE: [sa.false()],
    }
    return found[light]
