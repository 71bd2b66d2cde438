"""Photographs: received from strangers, sealed as evidence, published without their metadata."""

from shared.media.domain import (
    ALLOWED_TYPES,
    PUBLISHED_TYPE,
    Disagreement,
    MediaFault,
    MediaLimits,
    MediaNotFound,
    MediaStoreUnavailable,
    MediaTooLarge,
    MediaTooManyPixels,
    MediaTypeNotAllowed,
    MediaUnreadable,
    Rendition,
    StorageFull,
    StoredMedia,
    disagreements,
    hash_distance,
    media_response_headers,
)
from shared.media.shelf import MediaStream
from shared.media.store import MediaStore

__all__ = [
    "ALLOWED_TYPES",
    "PUBLISHED_TYPE",
    "Disagreement",
    "MediaFault",
    "MediaLimits",
    "MediaNotFound",
    "MediaStore",
    "MediaStoreUnavailable",
    "MediaStream",
    "MediaTooLarge",
    "MediaTooManyPixels",
    "MediaTypeNotAllowed",
    "MediaUnreadable",
    "Rendition",
    "StorageFull",
    "StoredMedia",
    "disagreements",
    "hash_distance",
    "media_response_headers",
]
