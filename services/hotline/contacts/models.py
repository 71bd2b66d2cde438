"""The people who may be told of emergencies."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from services.hotline.base import HotlineTable
from shared.db import json_column


class DutyContact(HotlineTable, table=True):
    """Somebody who may be on duty, and how they are reached.

    Attributes:
        login: account name, by which the city pack names people.
        account_id: by which the roster names them; known once identity has told it.
        roles: of the account, as last told.
        active: may sign in; who may not is not told of anything.
        phone_sealed, email_sealed: personal data, sealed with the hotline's key.
    """

    __tablename__ = "duty_contacts"

    login: str = Field(primary_key=True, max_length=64)
    account_id: str | None = Field(default=None, max_length=80, unique=True)
    roles: list[str] = Field(sa_column=sa.Column(json_column(), nullable=False))
    language: str = Field(max_length=20)
    active: bool = True
    phone_sealed: bytes | None = None
    email_sealed: bytes | None = None
    changed_at: datetime | None = None
    changed_by: str | None = Field(default=None, max_length=80)

    @property
    def phone_slot(self) -> str:
        return f"duty_contacts:{self.login}:phone"

    @property
    def email_slot(self) -> str:
        return f"duty_contacts:{self.login}:email"
