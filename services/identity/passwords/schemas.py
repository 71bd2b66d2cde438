"""Passwords and codes as the API takes and shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LoginText = Annotated[str, Field(min_length=1, max_length=100, examples=["dispatcher01"])]
Password = Annotated[str, Field(min_length=1, max_length=200)]


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current_password: Password
    new_password: Password


class PasswordReset(BaseModel):
    """A one-time code in exchange for a password of one's own."""

    model_config = ConfigDict(extra="forbid")

    login: LoginText
    code: Annotated[str, Field(min_length=1, max_length=60, examples=["ABCD-EFGH-JKLM-NPQR"])]
    new_password: Password


class OneTimeCode(BaseModel):
    """Shown this once; the holder exchanges it for a password until it expires."""

    code: str = Field(examples=["ABCD-EFGH-JKLM-NPQR"])
    expires_at: datetime
