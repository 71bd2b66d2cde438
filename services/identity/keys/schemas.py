"""Keys as the API shows them; never the private half."""

from datetime import datetime

from pydantic import BaseModel, Field


class JsonWebKey(BaseModel):
    """RFC 7517 and RFC 8037."""

    kty: str = Field(examples=["OKP"])
    crv: str = Field(examples=["Ed25519"])
    x: str
    kid: str
    use: str = "sig"
    alg: str = "EdDSA"


class JsonWebKeySet(BaseModel):
    keys: list[JsonWebKey]


class KeyView(BaseModel):
    """One signing key; times are UTC."""

    id: str
    created_at: datetime
    signs_from: datetime = Field(description="used for signing from then on")
    retires_at: datetime | None = Field(description="its tokens are not taken any more from then")
    signing: bool = Field(description="used now")
