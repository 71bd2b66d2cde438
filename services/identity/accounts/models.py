"""Accounts as they are stored; what they sign in with is kept apart."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.identity.base import IdentityAggregate
from shared.db import json_column


class Account(IdentityAggregate, table=True):
    """Somebody who may sign in.

    Attributes:
        unit: code of the organisation, if any.
        tokens_valid_after: sessions begun and tokens issued up to this instant no longer count.
        pack_entry: fingerprint of the city pack's line it was last taken over from; what an
            administrator changed stays until the pack's own line changes.
    """

    __tablename__ = "accounts"

    login: str = Field(unique=True, max_length=64)
    name_zh: str = Field(max_length=300)
    name_en: str = Field(max_length=300)
    roles: list[str] = Field(sa_column=sa.Column(json_column(), nullable=False))
    unit: str | None = Field(default=None, max_length=60, index=True)
    language: str = Field(default="zh", max_length=20)
    active: bool = True
    created_at: datetime
    tokens_valid_after: datetime | None = None
    pack_entry: str | None = Field(default=None, max_length=64)
