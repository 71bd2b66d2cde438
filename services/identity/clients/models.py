"""Clients as they are stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.identity.base import IdentityAggregate, IdentityTable
from shared.db import json_column


class Client(IdentityAggregate, table=True):
    """Another system with an account for programs.

    Attributes:
        client_id: name it calls itself by.
        public_key: JSON Web Key for signed assertions, if it has one.
        pack_entry: fingerprint of the city pack's line it was last taken over from.
    """

    __tablename__ = "clients"

    client_id: str = Field(unique=True, max_length=64)
    name_zh: str = Field(max_length=300)
    name_en: str = Field(max_length=300)
    roles: list[str] = Field(sa_column=sa.Column(json_column(), nullable=False))
    scopes: list[str] = Field(sa_column=sa.Column(json_column(), nullable=False))
    unit: str | None = Field(default=None, max_length=60)
    active: bool = True
    created_at: datetime
    tokens_valid_after: datetime | None = None
    public_key: dict[str, Any] | None = Field(
        default=None, sa_column=sa.Column(json_column(), nullable=True)
    )
    pack_entry: str | None = Field(default=None, max_length=64)


class ClientSecret(IdentityTable, table=True):
    """One secret of a client, by its digest."""

    __tablename__ = "client_secrets"

    id: UUID = Field(primary_key=True)
    client: UUID = Field(foreign_key="clients.id", index=True)
    digest: str = Field(max_length=64)
    created_at: datetime
    expires_at: datetime | None = None


class UsedAssertion(IdentityTable, table=True):
    """A signed assertion that has been taken; none is taken twice."""

    __tablename__ = "used_assertions"

    client: UUID = Field(primary_key=True)
    jti: str = Field(primary_key=True, max_length=100)
    expires_at: datetime = Field(index=True)
