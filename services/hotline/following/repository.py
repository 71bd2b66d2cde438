"""One statement per fact: write what is known, read whether anybody follows."""

from collections import namedtuple
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.following.models import CaseProgress, ReportProgress
from shared.db.pipeline import Statement, together

_REPORTS: sa.Table = ReportProgress.__table__  # type: ignore[attr-defined]
_CASES: sa.Table = CaseProgress.__table__  # type: ignore[attr-defined]


class ProgressRepository:
    """Rows are locked by being written, so that two workers who link and who tell take turns."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def report(self, report_id: UUID, **known: Any) -> Any:
        """Write what is known about a report; returns its row."""
        return await self._upsert(_REPORTS, _REPORTS.c.report_id, report_id, known)

    async def case(self, case_id: UUID, **known: Any) -> Any:
        """Write what is known about a case; returns its row."""
        return await self._upsert(_CASES, _CASES.c.case_id, case_id, known)

    async def root_of(self, report_id: UUID) -> UUID:
        """The report that stands for a report after all merges."""
        seen = {report_id}
        while True:
            statement = sa.select(_REPORTS.c.merged_into).where(_REPORTS.c.report_id == report_id)
            into = (await self.session.exec(statement)).scalar_one_or_none()  # type: ignore[call-overload]
            if into is None or into in seen:
                return report_id
            seen.add(into)
            report_id = into

    async def _upsert(
        self, table: sa.Table, key: sa.Column[Any], value: UUID, known: dict[str, Any]
    ) -> Any:
        on_sqlite = self.session.get_bind().dialect.name == "sqlite"
        statement = _telling(table, key, tuple(known), on_sqlite=on_sqlite)
        values = {key.name: value, "followed": False, **known}
        (rows,) = await together(self.session, (statement, [values]))
        return _row_class(table)(*rows[0])


@lru_cache(maxsize=128)
def _telling(
    table: sa.Table, key: sa.Column[Any], known: tuple[str, ...], *, on_sqlite: bool
) -> Statement:
    """Write these columns of a row, new or old; the whole row comes back."""
    insert = sqlite.insert(table) if on_sqlite else postgresql.insert(table)
    # Setting the key to itself takes the row lock where there is nothing to change.
    changed = {name: insert.excluded[name] for name in known} or {key.name: key}
    return Statement(
        insert.on_conflict_do_update(index_elements=[key], set_=changed).returning(*table.c),
        tuple(dict.fromkeys((key.name, "followed", *known))),
    )


@cache
def _row_class(table: sa.Table) -> Any:
    return namedtuple(table.name, table.c.keys())  # noqa: PYI024 - its columns are the table's
