"""What a photograph is to the suite: limits, what was stored of it, and what may be said of it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any, Final

from shared.errors import InvalidInput, MinqingError, NotFound, Unavailable
from shared.geo import InvalidPosition, Position
from shared.vocabulary import PositionSource

PUBLISHED_TYPE: Final = "image/jpeg"
"""Every published copy and thumbnail is a JPEG, whatever the original was."""

ALLOWED_TYPES: Final = ("image/jpeg", "image/png", "image/webp")
SNIFF_BYTES: Final = 12
_ENDINGS: Final = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_SAME_TYPE: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg"}
_UNDECLARED: Final = frozenset({"", "application/octet-stream"})
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class MediaTooLarge(MinqingError):
    """The file is longer than allowed; nothing of it is kept."""

    code = "media-too-large"
    status = 413
    title = "The file is too large"


class MediaTypeNotAllowed(MinqingError):
    """The content is no JPEG, PNG or WebP, or not what the sender declared."""

    code = "media-type-not-allowed"
    status = 415
    title = "This kind of file is not accepted"


class MediaUnreadable(InvalidInput):
    """The file begins like a picture but not even its size can be read; nothing is kept."""

    code = "media-unreadable"
    title = "The picture cannot be read"


class MediaTooManyPixels(InvalidInput):
    """The picture would need too much memory to decode; nothing of it is kept."""

    code = "media-too-many-pixels"
    title = "The picture has too many pixels"


class MediaNotFound(NotFound):
    """Nothing is stored under this name, or the picture could not be published."""

    code = "media-not-found"


class StorageFull(MinqingError):
    """There is no room for the file; nothing of it is kept."""

    code = "storage-full"
    status = 507
    title = "There is no room to store the file"


class MediaStoreUnavailable(Unavailable):
    """The store of files does not answer; the same upload may succeed later."""

    code = "media-store-unavailable"


class MediaFault(StrEnum):
    """Why a kept original has no published copy."""

    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    TOO_LARGE_TO_DECODE = "too-large-to-decode"
    TOO_SLOW = "too-slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaLimits:
    """How much of a stranger's file is accepted and worked on.

    Attributes:
        max_bytes: length of the original.
        max_pixels: width times height, read from the header before anything is decoded.
        max_edge: longer edge of the published copy in pixels; smaller originals stay their size.
        thumbnail_edge: longer edge of the copy for lists in pixels.
        decode_seconds: time one picture may take; past it the original is kept unpublished.
        decode_memory_bytes: address space of the decoding process.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_edge: int = 1920
    thumbnail_edge: int = 320
    decode_seconds: float = 20.0
    decode_memory_bytes: int = 1024 * 1024 * 1024

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """A copy without metadata, made to be shown."""

    sha256: str
    size: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMedia:
    """A photograph whose original is safely stored.

    Attributes:
        sha256: of the original, lower-case hexadecimal; the name of everything stored of it.
        media_type: as its content says.
        size: bytes of the original.
        width: pixels across, as shown upright.
        height: pixels down, as shown upright.
        trailing_bytes: bytes after the end of the picture; phones append clips there, forgers more.
        published: the copy for everybody, None where the original cannot be seen whole.
        thumbnail: the copy for lists, None together with `published`.
        fault: why nothing could be published.
        perceptual_hash: alike for the same picture at another size or quality; see `hash_distance`.
        captured_at: when the camera says it was taken, None unless the time zone is known too.
        captured_position: where the camera says it was taken. Both are claims of the sender's.
    """

    sha256: str
    media_type: str
    size: int
    width: int
    height: int
    trailing_bytes: int = 0
    published: Rendition | None = None
    thumbnail: Rendition | None = None
    fault: MediaFault | None = None
    perceptual_hash: str | None = None
    captured_at: datetime | None = None
    captured_position: Position | None = None


def sniff_type(head: bytes) -> str | None:
    """The allowed type whose signature the first twelve bytes carry, None for all others."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def settle_type(head: bytes, declared_type: str | None) -> str:
    """The type by content, which a declared type must not contradict.

    Raises:
        MediaTypeNotAllowed: the content is of no allowed type or of another than declared.
    """
    found = sniff_type(head)
    if found is None:
        allowed = ", ".join(ALLOWED_TYPES)
        raise MediaTypeNotAllowed(f"Send a photograph as one of: {allowed}")
    declared = (declared_type or "").partition(";")[0].strip().lower()
    declared = _SAME_TYPE.get(declared, declared)
    if declared not in _UNDECLARED and declared != found:
        raise MediaTypeNotAllowed(
            f"The content is {found}: declare it as that and give the file that ending",
            content_type=found,
        )
    return found


def check_name(sha256: str) -> str:
    """Let only names that the store itself gave reach a path.

    Raises:
        MediaNotFound: anything but 64 lower-case hexadecimal digits.
    """
    if not _SHA256.fullmatch(sha256):
        raise MediaNotFound("There is no such photograph")
    return sha256


def media_response_headers(media_type: str, *, sha256: str | None = None) -> dict[str, str]:
    """Headers that make a stored file harmless in a browser and let it be cached for good.

    Args:
        media_type: as stored, never as the request says.
        sha256: of the very bytes sent, for the server-made file name and the entity tag.

    Raises:
        MediaTypeNotAllowed: not a type that is ever stored.
    """
    if media_type not in _ENDINGS:
        raise MediaTypeNotAllowed("Only stored photographs are served")
    stem = f"photograph-{check_name(sha256)[:12]}" if sha256 else "photograph"
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f'inline; filename="{stem}.{_ENDINGS[media_type]}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-site",
        # Private: who may see a photograph is decided request by request, not by a shared cache.
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    if sha256:
        headers["ETag"] = f'"{sha256}"'
    return headers


def hash_distance(one: str, other: str) -> int:
    """Bits in which two perceptual hashes differ.

    Up to about 6 of 64 the pictures are probably the same; 32 is chance. Pictures without any
    contrast all have the hash 0, so a match of zeros proves nothing.
    """
    return (int(one, 16) ^ int(other, 16)).bit_count()


# --- what the camera wrote ----------------------------------------------------------------------


def camera_position(camera: dict[str, Any]) -> Position | None:
    if "position" not in camera:
        return None
    lng, lat = camera["position"]
    try:
        return Position(lng, lat, camera.get("accuracy_m"), PositionSource.CAMERA)
    except InvalidPosition:
        return None


def camera_instant(camera: dict[str, Any], camera_zone: tzinfo | None) -> datetime | None:
    """The instant of exposure in UTC: by the camera's clock and offset, else the satellites' time.

    Args:
        camera: the findings of the darkroom.
        camera_zone: zone that a camera clock without offset is read in, None if it cannot be known.
    """
    local = _clock_reading(camera.get("clock"))
    zone = _offset(camera.get("offset")) or camera_zone
    try:
        if local is not None and zone is not None:
            return local.replace(tzinfo=zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    satellite = _clock_reading(camera.get("gps_clock"))
    return satellite.replace(tzinfo=UTC) if satellite is not None else None


def _clock_reading(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - zone comes apart
    except ValueError:
        return None


def _offset(text: str | None) -> tzinfo | None:
    try:
        return datetime.strptime(text or "", "%z").tzinfo
    except ValueError:
        return None
