"""Which photographs are stored, and who sent them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from services.intake.base import IntakeTable
from services.intake.media.domain import Photograph
from shared.geo import Position
from shared.ids import uuid7


class MediaFile(IntakeTable, table=True):
    """A stored photograph, by the hash of its original.

    Attributes:
        published_sha256: of the copy without metadata; None where nothing can be shown.
        perceptual_hash: alike for the same picture sent for two cases.
        quarter_1, quarter_2, quarter_3, quarter_4: its parts, to find those nearly like it.
        captured_at, captured_longitude, captured_latitude: what the camera claims.
    """

    __tablename__ = "media_files"
    QUARTERS: ClassVar = ("quarter_1", "quarter_2", "quarter_3", "quarter_4")

    sha256: str = Field(primary_key=True, max_length=64)
    media_type: str = Field(max_length=40)
    size: int = Field(sa_type=sa.BigInteger)
    width: int
    height: int
    trailing_bytes: int = 0
    published_sha256: str | None = Field(default=None, max_length=64)
    fault: str | None = Field(default=None, max_length=40)
    perceptual_hash: str | None = Field(default=None, max_length=32)
    quarter_1: int | None = Field(default=None, index=True)
    quarter_2: int | None = Field(default=None, index=True)
    quarter_3: int | None = Field(default=None, index=True)
    quarter_4: int | None = Field(default=None, index=True)
    captured_at: datetime | None = None
    captured_longitude: float | None = None
    captured_latitude: float | None = None
    uploaded_at: datetime

    def facts(self, like_first_sent_at: datetime | None) -> Photograph:
        """What the doubts need to know, with when one that looks the same was first sent."""
        position = None
        if self.captured_longitude is not None and self.captured_latitude is not None:
            position = Position(self.captured_longitude, self.captured_latitude)
        return Photograph(self.captured_at, position, self.uploaded_at, like_first_sent_at)


class MediaUpload(IntakeTable, table=True):
    """One sending of a photograph; the quota counts these.

    Attributes:
        uploader: account or system id, or a hashed address for the public.
    """

    __tablename__ = "media_uploads"
    __table_args__ = (sa.Index("ix_media_uploads_uploader", "uploader", "uploaded_at"),)

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    sha256: str = Field(max_length=64, index=True)
    uploader: str = Field(max_length=80)
    uploaded_at: datetime
