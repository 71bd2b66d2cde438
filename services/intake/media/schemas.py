"""A stored photograph on its way out."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from services.intake.media.domain import Doubt
from shared.media import StoredMedia


class ShownPhotograph(BaseModel):
    """A photograph of a report or finding, and what speaks against it."""

    sha256: str
    shown: bool = Field(description="false: kept as evidence, but it cannot be shown")
    captured_at: datetime | None = Field(description="by the camera's own word")
    doubts: list[Doubt] = Field(
        description="`taken-elsewhere` and `taken-at-another-time` by the camera's own word;"
        " `sent-before`: the same file was sent before this was seen; `like-one-sent-before`:"
        " another file that looks the same was",
    )


class MediaView(BaseModel):
    """A photograph that is safely stored; name it by `sha256`."""

    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    shown: bool = Field(description="false: kept as evidence, but it cannot be shown")
    fault: str | None
    trailing_bytes: int
    captured_at: datetime | None = Field(description="by the camera's own word")

    @classmethod
    def of(cls, media: StoredMedia) -> Self:
        return cls(
            sha256=media.sha256,
            media_type=media.media_type,
            size=media.size,
            width=media.width,
            height=media.height,
            shown=media.published is not None,
            fault=media.fault.value if media.fault else None,
            trailing_bytes=media.trailing_bytes,
            captured_at=media.captured_at,
        )
