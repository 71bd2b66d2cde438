"""A stored photograph on its way out."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field

from shared.media import StoredMedia


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
