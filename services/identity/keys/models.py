"""Signing keys as they are stored."""

from datetime import datetime

from sqlmodel import Field

from services.identity.base import IdentityTable


class SigningKey(IdentityTable, table=True):
    """One Ed25519 key pair.

    Attributes:
        public_key: raw public key, base64.
        sealed_key: the private key, sealed.
        signs_from: from then on it is used; it is published as soon as it is there.
        retires_at: its tokens are no longer taken; None while no other key follows it.
    """

    __tablename__ = "signing_keys"

    id: str = Field(primary_key=True, max_length=40)
    public_key: str = Field(max_length=60)
    sealed_key: str = Field(max_length=200)
    created_at: datetime
    signs_from: datetime
    retires_at: datetime | None = None
