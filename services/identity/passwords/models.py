"""What people sign in with, and the count of failures."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.identity.base import IdentityTable
from shared.db import json_column


class Credential(IdentityTable, table=True):
    """The secrets of one account, none of them readable.

    Attributes:
        account_id: the account's id; there is no row before it has a secret.
        password_hash: argon2id with its parameters.
        history: hashes of recent passwords, the present one included, youngest first.
        code_digest: of the one-time code that is out, if any.
        factor_secret: shared secret of the second factor, sealed; it counts once confirmed.
        factor_step: time step of the last code taken; each counts once.
    """

    __tablename__ = "credentials"

    account_id: UUID = Field(primary_key=True, foreign_key="accounts.id")
    password_hash: str | None = Field(default=None, max_length=300)
    password_changed_at: datetime | None = None
    must_change: bool = False
    history: list[str] = Field(
        default_factory=list, sa_column=sa.Column(json_column(), nullable=False)
    )
    code_digest: str | None = Field(default=None, max_length=64)
    code_expires_at: datetime | None = None
    factor_secret: str | None = Field(default=None, max_length=200)
    factor_confirmed_at: datetime | None = None
    factor_step: int = 0


class AttemptGuard(IdentityTable, table=True):
    """Failures in a row of one login or one source address."""

    __tablename__ = "attempt_guards"

    name: str = Field(primary_key=True, max_length=80)
    failures: int = 0
    last_failure_at: datetime = Field(index=True)
    locked_until: datetime | None = None
