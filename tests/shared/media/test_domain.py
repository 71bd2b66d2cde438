"""Pure rules about photographs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.geo import Position
from shared.media import (
    MediaLimits,
    MediaNotFound,
    MediaTypeNotAllowed,
    hash_distance,
    media_response_headers,
)
from shared.media.domain import camera_instant, camera_position, check_name, settle_type
from shared.vocabulary import PositionSource

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\r"
WEBP = b"RIFF\x10\0\0\0WEBP"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SQUARE = Position(103.8, 36.06)


@pytest.mark.parametrize(
    ("head", "declared", "found"),
    [
        (JPEG, None, "image/jpeg"),
        (JPEG, "image/jpeg", "image/jpeg"),
        (JPEG, "image/JPG; charset=binary", "image/jpeg"),
        (PNG, "application/octet-stream", "image/png"),
        (WEBP, "image/webp", "image/webp"),
    ],
)
def test_content_decides_the_type(head: bytes, declared: str | None, found: str) -> None:
    assert settle_type(head, declared) == found


@pytest.mark.parametrize(
    ("head", "declared"),
    [
        (JPEG, "image/png"),
        (PNG, "image/jpeg"),
        (WEBP, "text/html"),
        (JPEG, "image/svg+xml"),
        (b"GIF89a\1\0\1\0\0\0", None),
        (b"GIF89a\1\0\1\0\0\0", "image/jpeg"),
        (b"<svg xmlns='http", "image/png"),
        (b"<!doctype html>", "image/jpeg"),
        (b"%PDF-1.7\n%\xe2\xe3", None),
        (b"%!PS-Adobe-3.0 EPSF", None),
        (b"II*\0\x08\0\0\0\0\0\0\0", None),
        (b"PK\x03\x04\x14\0\0\0\x08\0\0\0", "image/jpeg"),
        (b"BM\0\0\0\0\0\0\0\0\0\0", None),
        (b"RIFF\x10\0\0\0AVI ", None),
        (b"\0\0\0\x20ftypheic", "image/jpeg"),
        (b" \xff\xd8\xff\xe0\0\x10JFIF", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_other_content_or_another_declared_type_is_refused(
    head: bytes, declared: str | None
) -> None:
    with pytest.raises(MediaTypeNotAllowed) as refusal:
        settle_type(head, declared)

    assert (refusal.value.code, refusal.value.status) == ("media-type-not-allowed", 415)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../etc/passwd",
        "a" * 63,
        "A" * 64,
        "a" * 64 + "\n",
        "a" * 65,
        "g" * 64,
        "a" * 32 + "/../" + "a" * 28,
        "\u202e" + "a" * 63,
        "a" * 63 + "\0",
    ],
)
def test_only_a_hash_is_a_name(name: str) -> None:
    with pytest.raises(MediaNotFound):
        check_name(name)


def test_a_served_photograph_can_do_nothing_in_a_browser() -> None:
    headers = media_response_headers("image/png", sha256="ab" * 32)

    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Disposition"] == 'inline; filename="photograph-abababababab.png"'
    assert "immutable" in headers["Cache-Control"]
    assert "private" in headers["Cache-Control"]
    assert headers["ETag"] == '"' + "ab" * 32 + '"'
    assert media_response_headers("image/jpeg")["Content-Disposition"].endswith('photograph.jpg"')


def test_headers_are_made_for_stored_types_and_names_only() -> None:
    with pytest.raises(MediaTypeNotAllowed):
        media_response_headers("image/svg+xml")
    with pytest.raises(MediaNotFound):
        media_response_headers("image/png", sha256='a"\r\nSet-Cookie: b=c')


@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63)))
def test_hash_distance_counts_the_bits_turned(bits: int, turned: set[int]) -> None:
    other = bits ^ sum(1 << bit for bit in turned)

    assert hash_distance(f"{bits:016x}", f"{other:016x}") == len(turned)


def test_the_cameras_own_offset_goes_before_the_assumed_zone() -> None:
    camera = {"clock": "2026:03:01 20:00:00", "offset": "+08:00"}

    assert camera_instant(camera, UTC) == NOON
    assert camera_instant(camera, None) == NOON


def test_a_clock_without_offset_is_read_in_the_given_zone_or_not_at_all() -> None:
    camera = {"clock": "2026:03:01 20:00:00", "offset": None}

    assert camera_instant(camera, timezone(timedelta(hours=8))) == NOON
    assert camera_instant(camera, None) is None
    assert camera_instant(camera | {"gps_clock": "2026:03:01 12:00:00"}, None) == NOON


@pytest.mark.parametrize(
    "clock", ["0000:00:00 00:00:00", "yesterday", "", None, "    :  :     :  :"]
)
def test_a_nonsense_clock_tells_no_time(clock: str | None) -> None:
    assert camera_instant({"clock": clock, "offset": "+08:00"}, UTC) is None
    assert camera_instant({"clock": "0001:01:01 00:00:00", "offset": "+08:00"}, UTC) is None


def test_a_camera_position_off_the_earth_is_none() -> None:
    assert camera_position({}) is None
    assert camera_position({"position": [200.0, 36.0]}) is None
    found = camera_position({"position": [103.8, 36.06], "accuracy_m": 4.5})
    assert found == Position(103.8, 36.06, 4.5, PositionSource.CAMERA)


def test_a_limit_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="max_edge"):
        MediaLimits(max_edge=0)
