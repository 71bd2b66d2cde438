"""The lists behind figures follow the same rules as the figures themselves."""

import random
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from services.assessment.facts.models import AssignmentFactsRow, CaseFactsRow
from services.assessment.periods.domain import parse_period
from services.assessment.scorecards.domain import judge
from services.assessment.scorecards.repository import ScorecardRepository
from services.assessment.scorecards.schemas import Figure
from shared.ids import uuid7
from shared.testing import ServiceUnderTest
from shared.web.paging import PageRequest

MAY = parse_period("2026-05", ZoneInfo("Asia/Shanghai"))
NOW = MAY.start + timedelta(days=20)


def _line(chance: random.Random) -> dict[str, Any]:
    def sometimes(value: Any, other: Any) -> Any:
        return value if chance.random() < 0.2 else other

    at = MAY.start + timedelta(hours=chance.randrange(24 * 31))
    return {
        "case_id": uuid7(),
        "ordinal": 1,
        "unit": "water",
        "dispatched_at": MAY.start,
        "due_at": at,
        "limit_seconds": sometimes(None, 5),
        "used_seconds": chance.randrange(8),
        "closed_at": sometimes(None, MAY.start + timedelta(days=chance.randrange(28))),
        "extension_seconds": 0,
        "extension_granted_at": sometimes(at, None),
        "deferral_seconds": 0,
        "deferral_granted_at": sometimes(at, None),
        "second_dispatch_at": None,
        "dispatches": sometimes(2, 1),
        "returned_to_same": sometimes(1, 0),
        "returned_to_other": sometimes(1, 0),
        "returns_refused": sometimes(1, 0),
        "feedback_refused": sometimes(1, 0),
        "awaiting_dispatch": chance.random() < 0.2,
        "passed_on": False,
        "voided": chance.random() < 0.2,
    }


async def test_each_list_holds_what_was_judged_so(sut: ServiceUnderTest) -> None:
    chance = random.Random(11)  # noqa: S311 - a sample, not a secret
    lines = [_line(chance) for _ in range(150)]
    cases = [
        {
            "case_id": line["case_id"],
            "state": "closed",
            "urgent": False,
            "special": False,
            "by_rule": False,
            "redispatches": 0,
            "failed_verifications": 0,
            "reopenings": 0,
            "events": 1,
        }
        for line in lines
    ]
    async with sut.runtime.database.transaction() as session:
        connection = await session.connection()
        await connection.execute(sa.insert(CaseFactsRow.__table__), cases)
        await connection.execute(sa.insert(AssignmentFactsRow.__table__), lines)
    async with sut.runtime.database.reading() as session:
        repository = ScorecardRepository(session, MAY)
        judged = [(line, judge(line, NOW)) for line in await repository.assignments("water")]
        listed = {
            figure: {
                row.case_id
                for row in await repository.page("water", figure, NOW, PageRequest(limit=200))
            }
            for figure in Figure
        }

    expected = {
        Figure.DUE: {line.case_id for line, found in judged if found.due},
        Figure.RESOLVED: {line.case_id for line, found in judged if found.resolved},
        Figure.UNRESOLVED: {
            line.case_id for line, found in judged if found.due and not found.resolved
        },
        Figure.TIMELY: {line.case_id for line, found in judged if found.timely},
        Figure.NOT_TIMELY: {
            line.case_id for line, found in judged if found.due and not found.timely
        },
        Figure.LEFT_OUT: {line.case_id for line, found in judged if not found.due},
        Figure.REPEATED: {
            line.case_id for line, found in judged if found.due and line.dispatches > 1
        },
    }
    assert {figure: listed[figure] for figure in expected} == expected
    assert all(expected.values())
    assert len(judged) == len(lines)
