"""Keeping the knowledge base as the pack has it, and counting what is used."""

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from services.hotline.knowledge.domain import plain
from services.hotline.knowledge.errors import KnowledgeExpired, KnowledgeNotFound
from services.hotline.knowledge.models import KnowledgeArticle
from services.hotline.knowledge.repository import KnowledgeRepository
from shared.pack.model import CityPack, KnowledgeEntry
from shared.service import Runtime
from shared.work import UnitOfWork


class KnowledgeService:
    """Commands on the knowledge base."""

    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self.work = work
        self.articles = KnowledgeRepository(work.session)
        self._pack = pack

    async def use(self, *, entry_id: str, language: str | None) -> KnowledgeArticle:
        """Count an entry that settled a matter.

        Args:
            entry_id: which one.
            language: in which one it was given; by default the city's first that it exists in.

        Raises:
            KnowledgeNotFound: there is no such entry.
            KnowledgeExpired: it may not be given any more.
        """
        by_language = {
            article.language: article for article in await self.articles.languages_of(entry_id)
        }
        order = [language] if language else [*self._pack.city.languages, *by_language]
        article = next((by_language[one] for one in order if one in by_language), None)
        if article is None:
            raise KnowledgeNotFound("There is no such entry in the knowledge base.")
        today = self.work.now().astimezone(ZoneInfo(self._pack.city.zone)).date()
        if article.retired or article.valid_until < today:
            raise KnowledgeExpired(
                "This answer may be out of date: answer in own words or submit the matter.",
                valid_until=article.valid_until.isoformat(),
            )
        await self.articles.count_use(article.id, article.language)
        return article


async def take_over_pack(runtime: Runtime) -> None:
    """Bring the knowledge base to what the pack says; counts of use stay."""
    async with runtime.database.transaction() as session:
        stored = {
            (article.id, article.language): article
            for article in await KnowledgeRepository(session).all()
        }
        for entry in runtime.pack.knowledge:
            article = stored.pop((entry.id, entry.language), None)
            if article is None:
                session.add(KnowledgeArticle(**_values(entry)))
            else:
                for name, value in {**_values(entry), "retired": False}.items():
                    if getattr(article, name) != value:
                        setattr(article, name, value)
        for gone in stored.values():
            gone.retired = True


def _values(entry: KnowledgeEntry) -> dict[str, Any]:
    text = "\n".join((entry.title, " ".join(entry.keywords), entry.answer, entry.basis))
    return {**asdict(entry), "keywords": list(entry.keywords), "search_text": plain(text)}
