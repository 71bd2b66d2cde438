"""Photographs: received from strangers, sealed as evidence, published without their metadata."""

from shared.media.domain import (
    ALLOWED_TYPES,
    PUBLISHED_TYPE,
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
    hash_distance,
    media_response_headers,
)
from shared.media.shelf import MediaStream
from shared.media.store import MediaStore

__all__ = [
    "ALLOWED_TYPES",
    "PUBLISHED_TYPE",
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
    "hash_distance",
    "media_response_headers",
]
