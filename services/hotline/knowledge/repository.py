"""Knowledge in the database."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.knowledge.models import KnowledgeArticle
from shared.web.paging import PageRequest, after

CANDIDATES = 500
"""Entries that are ranked at most for one query."""


class KnowledgeRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def all(self) -> Sequence[KnowledgeArticle]:
        return (await self.session.exec(select(KnowledgeArticle))).all()

    async def languages_of(self, entry_id: str) -> Sequence[KnowledgeArticle]:
        """The same entry in every language."""
        statement = select(KnowledgeArticle).where(KnowledgeArticle.id == entry_id)
        return (await self.session.exec(statement)).all()

    async def count_use(self, entry_id: str, language: str) -> None:
        """One statement, so that agents who use an entry at once do not lose each other's count."""
        table: sa.Table = KnowledgeArticle.__table__  # type: ignore[attr-defined]
        statement = (
            sa.update(table)
            .where(table.c.id == entry_id, table.c.language == language)
            .values(uses=table.c.uses + 1)
        )
        await self.session.exec(statement)

    async def page(
        self, *, language: str | None, valid_on: date | None, request: PageRequest
    ) -> Sequence[KnowledgeArticle]:
        """Entries by id and language."""
        statement = _narrowed(language, valid_on)
        columns = [KnowledgeArticle.id, KnowledgeArticle.language]
        return (await self.session.exec(after(statement, columns, request))).all()  # type: ignore[no-any-return]

    async def holding(
        self, terms: Sequence[str], *, language: str | None, valid_on: date | None
    ) -> Sequence[KnowledgeArticle]:
        """Entries that hold at least one of the terms."""
        text = col(KnowledgeArticle.search_text)
        statement = _narrowed(language, valid_on).where(
            sa.or_(*(text.contains(term, autoescape=True) for term in terms))
        )
        return (await self.session.exec(statement.limit(CANDIDATES))).all()  # type: ignore[no-any-return]


def _narrowed(
    language: str | None, valid_on: date | None
) -> Any:  # SQLModel keeps the type of its SELECT to itself
    statement = select(KnowledgeArticle)
    if language is not None:
        statement = statement.where(KnowledgeArticle.language == language)
    if valid_on is not None:
        statement = statement.where(
            col(KnowledgeArticle.retired).is_(False),
            col(KnowledgeArticle.valid_until) >= valid_on,
        )
    return statement
