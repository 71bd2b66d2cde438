"""The knowledge base over HTTP."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query

from services.hotline.knowledge.auth import KnowledgeReader
from services.hotline.knowledge.domain import score, search_terms
from services.hotline.knowledge.errors import KnowledgeNotFound
from services.hotline.knowledge.models import KnowledgeArticle
from services.hotline.knowledge.repository import KnowledgeRepository
from services.hotline.knowledge.schemas import KnowledgeView, knowledge_view
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import ReadingRoute, ReadSessionDep, RuntimeDep

router = APIRouter(prefix="/knowledge", tags=["knowledge"], route_class=ReadingRoute)


@router.get("")
async def search_knowledge(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    _principal: KnowledgeReader,
    page: Annotated[PageRequest, Depends(page_request)],
    q: Annotated[
        str | None, Query(max_length=200, description="what the caller asks; best answers first")
    ] = None,
    language: Annotated[str | None, Query(max_length=12)] = None,
    include_expired: bool = False,
) -> Page[KnowledgeView]:
    """Entries that may be given today; ranked for a query (one page), else by id."""
    articles = KnowledgeRepository(session)
    today = runtime.clock.now().astimezone(ZoneInfo(runtime.pack.city.zone)).date()
    valid_on = None if include_expired else today
    terms = search_terms(q) if q else []

    def present(article: KnowledgeArticle) -> KnowledgeView:
        return knowledge_view(article, today)

    if q is None:
        rows = await articles.page(language=language, valid_on=valid_on, request=page)
        return page_of(rows, page, lambda article: [article.id, article.language], present)
    if not terms:
        return Page(items=[])
    found = await articles.holding(terms, language=language, valid_on=valid_on)
    ranked = sorted(found, key=lambda article: (-_score(terms, article), article.id))
    return Page(items=[present(article) for article in ranked[: page.limit]])


@router.get("/{entry_id}")
async def read_knowledge(
    entry_id: str, session: ReadSessionDep, runtime: RuntimeDep, _principal: KnowledgeReader
) -> list[KnowledgeView]:
    """One entry in every language that it exists in."""
    today = runtime.clock.now().astimezone(ZoneInfo(runtime.pack.city.zone)).date()
    found = await KnowledgeRepository(session).languages_of(entry_id)
    if not found:
        raise KnowledgeNotFound("There is no such entry in the knowledge base.")
    ordered = sorted(found, key=lambda article: article.language)
    return [knowledge_view(article, today) for article in ordered]


def _score(terms: list[str], article: KnowledgeArticle) -> int:
    return score(terms, title=article.title, keywords=article.keywords, body=article.search_text)
