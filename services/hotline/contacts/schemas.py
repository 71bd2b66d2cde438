"""Contacts as the API takes and shows them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.web.fields import Line


class ContactInput(BaseModel):
    """How somebody is reached on duty; what is left out stays, null deletes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"phone": "13800001111", "email": "name@example.org"}]},
    )

    phone: Line | None = Field(default=None, description="for SMS; null: none")
    email: Line | None = Field(default=None, description="null: none")


class ContactView(BaseModel):
    """Who may be told of emergencies; addresses are masked, also for administrators."""

    login: str
    roles: list[str]
    active: bool
    language: str
    phone: str | None = Field(examples=["138****1111"])
    email: str | None = Field(examples=["n***@example.org"])
    changed_at: datetime | None
