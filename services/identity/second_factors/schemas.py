"""Second factors as the API takes and shows them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

FactorCode = Annotated[str, Field(pattern=r"^[0-9]{6}$", examples=["492039"])]


class FactorConfirmation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: FactorCode


class FactorEnrolment(BaseModel):
    """Shown this once; put `uri` into an authenticator as a QR code and confirm with a code."""

    secret: str = Field(description="base32, for typing in")
    uri: str = Field(description="otpauth://…")
