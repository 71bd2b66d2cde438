"""Organisations as they are stored."""

from sqlmodel import Field

from services.identity.base import IdentityAggregate


class Organisation(IdentityAggregate, table=True):
    """A body that people belong to.

    Attributes:
        pack_entry: fingerprint of the city pack's line it was last taken over from; what an
            administrator changed stays until the pack's own line changes.
    """

    __tablename__ = "organisations"

    code: str = Field(unique=True, max_length=60)
    name_zh: str = Field(max_length=300)
    name_en: str = Field(max_length=300)
    kind: str = Field(max_length=40, index=True)
    parent: str | None = Field(default=None, max_length=60)
    active: bool = True
    pack_entry: str | None = Field(default=None, max_length=64)
