"""One statement per fact: write what is known, read whether anybody follows."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.following.models import CaseProgress, ReportProgress

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
        insert = sqlite.insert(table) if on_sqlite else postgresql.insert(table)
        statement = (
            insert.values({key.name: value, "followed": False, **known})
            # Setting the key to itself takes the row lock where there is nothing to change.
            .on_conflict_do_update(index_elements=[key], set_=known or {key.name: key})
            .returning(*table.c)
        )
        return (await self.session.exec(statement)).one()
