"""The knowledge base as the API shows it."""

from datetime import date

from pydantic import BaseModel, Field

from services.hotline.knowledge.models import KnowledgeArticle


class KnowledgeView(BaseModel):
    """An entry."""

    id: str
    language: str
    title: str
    answer: str = Field(description="Markdown")
    basis: str
    unit: str
    refer_to: str | None
    keywords: list[str]
    valid_until: date
    valid: bool = Field(description="it may be given today")
    uses: int = Field(description="matters settled with it")


def knowledge_view(article: KnowledgeArticle, today: date) -> KnowledgeView:
    return KnowledgeView(
        id=article.id,
        language=article.language,
        title=article.title,
        answer=article.answer,
        basis=article.basis,
        unit=article.unit,
        refer_to=article.refer_to or None,
        keywords=article.keywords,
        valid_until=article.valid_until,
        valid=not article.retired and article.valid_until >= today,
        uses=article.uses,
    )
