"""The knowledge base."""

from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineTable
from shared.db import json_column


class KnowledgeArticle(HotlineTable, table=True):
    """An answer that agents may give, in one language; written in the city pack.

    Attributes:
        search_text: everything in it, as queries are compared with.
        uses: how often it settled a matter.
        retired: it is no longer in the pack; tickets that name it still find it.
    """

    __tablename__ = "knowledge_articles"

    id: str = Field(primary_key=True, max_length=80)
    language: str = Field(primary_key=True, max_length=12)
    title: str = Field(max_length=300)
    answer: str = Field(sa_type=sa.Text)
    basis: str = Field(max_length=500)
    unit: str = Field(max_length=80)
    refer_to: str = Field(max_length=80)
    keywords: list[str] = Field(sa_type=json_column())
    valid_until: date
    search_text: str = Field(sa_type=sa.Text)
    uses: int = 0
    retired: bool = False
