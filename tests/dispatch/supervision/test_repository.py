"""Every list of orders rides on an index, however long the ledger has become."""

import pytest
import sqlalchemy as sa

from services.dispatch.clocks.domain import Light
from services.dispatch.supervision.domain import OrderState
from services.dispatch.supervision.repository import OrderQuery, page_statement
from shared.vocabulary import SupervisionCause, SupervisionLevel
from shared.web.paging import PageRequest
from tests.dispatch.story import MONDAY, UNIT, Story

PLANS = {
    "all": OrderQuery(now=MONDAY),
    "on the ledger": OrderQuery(now=MONDAY, open=True),
    "red": OrderQuery(now=MONDAY, light=Light.RED, open=True),
    "unit": OrderQuery(now=MONDAY, unit=UNIT),
    "state": OrderQuery(now=MONDAY, state=OrderState.ANSWERED),
    "cause": OrderQuery(now=MONDAY, causes=frozenset({SupervisionCause.RED_LIGHT})),
    "level": OrderQuery(now=MONDAY, level=SupervisionLevel.KEY),
    "newest": OrderQuery(now=MONDAY, newest=True),
    "newest of a unit": OrderQuery(now=MONDAY, unit=UNIT, newest=True),
}


@pytest.mark.parametrize("name", PLANS)
async def test_a_page_rides_on_an_index_and_sorts_nothing(story: Story, name: str) -> None:
    database = story.sut.runtime.database
    if database.is_sqlite:
        pytest.skip("the planner that matters is PostgreSQL's")
    statement = page_statement(PLANS[name], PageRequest())
    text = str(
        statement.compile(dialect=database.engine.dialect, compile_kwargs={"literal_binds": True})
    )
    async with database.engine.connect() as connection:
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            await connection.execute(sa.text(f"SET {setting} = off"))
        rows = await connection.execute(sa.text(f"EXPLAIN {text}".replace(":", "\\:")))
        plan = "\n".join(row[0] for row in rows)
    assert "Index Scan" in plan, plan
    assert "Sort" not in plan, plan
