"""Photographs go through the whole store: real files, real decoding in its own process."""

import asyncio
import hashlib
import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, ImageDraw

from shared.media import (
    MediaFault,
    MediaLimits,
    MediaNotFound,
    MediaStore,
    MediaTooLarge,
    MediaTooManyPixels,
    MediaTypeNotAllowed,
    MediaUnreadable,
    StorageFull,
    StoredMedia,
    hash_distance,
)
from shared.vocabulary import PositionSource

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
ROOT = Path(__file__).parents[3]


# --- photographs to send


def scene(width: int = 240, height: int = 160, mode: str = "RGB") -> Image.Image:
    """A picture with structure: red upper left corner, a gradient, a few lines."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 3, height // 3), fill=(200, 30, 30))
    draw.line((0, height, width, 0), fill=(20, 20, 120), width=5)
    draw.ellipse((width // 2, height // 2, width - 5, height - 5), fill=(30, 160, 60))
    return image.convert(mode)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def camera_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SecretMaker"
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.DateTimeOriginal: "2026:03:01 20:00:00",
            ExifTags.Base.OffsetTimeOriginal: "+08:00",
            ExifTags.Base.BodySerialNumber: "SerialNumber4711",
        }
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {
            ExifTags.GPS.GPSLatitudeRef: "N",
            ExifTags.GPS.GPSLatitude: (36.0, 3.0, 36.0),
            ExifTags.GPS.GPSLongitudeRef: "E",
            ExifTags.GPS.GPSLongitude: (103.0, 48.0, 0.0),
            ExifTags.GPS.GPSHPositioningError: 6.5,
        }
    )
    return exif


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int, height: int) -> bytes:
    """A valid PNG of a single colour: some kilobytes that decode to as much as one likes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(width + 1)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = (png_chunk(b"IHDR", head), png_chunk(b"IDAT", body), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


async def pieces(content: bytes, size: int = 7_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


# --- the store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def store(folder: Path) -> MediaStore:
    return MediaStore.at(str(folder))


@pytest.fixture
def kept(folder: Path) -> Callable[[], list[str]]:
    """Lists every file in the folder, those in the making included."""

    def files() -> list[str]:
        return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())

    return files


def _all_children() -> list[str]:
    """Processes this one has started and not yet taken leave of."""
    listings = list(Path("/proc/self/task").glob("*/children"))
    if not listings:
        pytest.skip("the system does not list child processes")
    return [pid for listing in listings for pid in listing.read_text().split()]


@pytest.fixture
def children() -> Callable[[], list[str]]:
    """Lists the processes started since the test began; other tests may keep some of theirs."""
    earlier = set(_all_children())
    return lambda: [pid for pid in _all_children() if pid not in earlier]


async def receive(store: MediaStore, content: bytes, **options: Any) -> StoredMedia:
    return await store.receive(pieces(content), **options)


async def published(store: MediaStore, media: StoredMedia) -> Image.Image:
    content = await (await store.open_published(media.sha256)).read()
    return Image.open(io.BytesIO(content), formats=["JPEG"])


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of one size, in steps of 255."""
    assert one.size == other.size
    pairs = zip(one.convert("RGB").tobytes(), other.convert("RGB").tobytes(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (one.width * one.height * 3)


# --- what is accepted


@pytest.mark.parametrize("url", ["folder", "file", "memory"])
@pytest.mark.parametrize("kind", TYPES)
async def test_a_photograph_is_sealed_byte_for_byte_and_published(
    url: str, kind: str, folder: Path
) -> None:
    address = {"folder": str(folder), "file": folder.as_uri(), "memory": "memory://"}[url]
    store = MediaStore.at(address)
    content = encoded(scene(), kind)

    media = await receive(store, content, declared_type=TYPES[kind])

    assert media.sha256 == hashlib.sha256(content).hexdigest()
    assert (media.media_type, media.size) == (TYPES[kind], len(content))
    assert (media.width, media.height, media.fault) == (240, 160, None)
    assert media.trailing_bytes == 0
    original = await store.open_original(media.sha256)
    assert original.size == len(content)
    assert await original.read() == content
    assert await store.verify_original(media.sha256)
    copy = await (await store.open_published(media.sha256)).read()
    assert media.published is not None
    assert media.published.sha256 == hashlib.sha256(copy).hexdigest()
    assert media.published.size == len(copy)
    assert likeness(await published(store, media), scene()) < 6


async def test_files_lie_under_their_hash_and_nothing_is_left_in_the_making(
    store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    media = await receive(store, encoded(scene()))

    name = f"{media.sha256[:2]}/{media.sha256[2:4]}/{media.sha256}"
    assert kept() == [f"originals/{name}", f"published/{name}", f"thumbnails/{name}"]


async def test_copies_are_bounded_and_small_pictures_are_not_blown_up(store: MediaStore) -> None:
    limits = MediaLimits(max_edge=600, thumbnail_edge=80)

    large = await receive(store, encoded(scene(1500, 1000)), limits=limits)
    small = await receive(store, encoded(scene(60, 40)), limits=limits)
    narrow = await receive(
        store, encoded(scene(3000, 30).crop((0, 0, 3000, 1)), "PNG"), limits=limits
    )

    assert large.published is not None
    assert large.thumbnail is not None
    assert (large.width, large.height) == (1500, 1000)
    assert (large.published.width, large.published.height) == (600, 400)
    assert (large.thumbnail.width, large.thumbnail.height) == (80, 53)
    thumbnail = await (await store.open_thumbnail(large.sha256)).read()
    assert Image.open(io.BytesIO(thumbnail)).size == (80, 53)
    assert small.published is not None
    assert (small.published.width, small.published.height) == (60, 40)
    assert narrow.published is not None
    assert (narrow.published.width, narrow.published.height) == (600, 1)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("L", "PNG"),
        ("1", "PNG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
        ("RGBA", "WEBP"),
    ],
)
async def test_every_colour_model_comes_out_as_the_same_picture(
    mode: str, kind: str, store: MediaStore
) -> None:
    image = scene()
    if mode == "I;16":
        grey = image.convert("L")
        sent = Image.frombytes("I;16", grey.size, b"".join(bytes((v, v)) for v in grey.tobytes()))
        expected = grey
    elif mode == "P":
        sent = expected = image.quantize(64, dither=Image.Dither.NONE)
    else:
        sent = expected = image.convert(mode)

    media = await receive(store, encoded(sent, kind))

    assert likeness(await published(store, media), expected) < 8


async def test_transparency_becomes_white_paper(store: MediaStore) -> None:
    media = await receive(store, encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), "PNG"))

    assert (await published(store, media)).getpixel((20, 20)) == (255, 255, 255)


async def test_a_photograph_with_pictures_behind_it_is_shown_by_its_first(
    store: MediaStore,
) -> None:
    content = encoded(scene(), "MPO", save_all=True, append_images=[scene(90, 60)])

    media = await receive(store, content, declared_type="image/jpeg")

    assert (media.width, media.height) == (240, 160)
    assert media.trailing_bytes > 0
    assert likeness(await published(store, media), scene()) < 6


# --- metadata


@pytest.mark.parametrize("kind", TYPES)
async def test_no_metadata_reaches_the_copies_and_all_of_it_stays_in_the_original(
    kind: str, store: MediaStore
) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"comment": b"SecretComment"} if kind == "JPEG" else {}
    content = encoded(scene(), kind, exif=camera_exif(), icc_profile=profile, **options)
    assert b"SecretMaker" in content

    media = await receive(store, content)

    assert await (await store.open_original(media.sha256)).read() == content
    for opened in (
        await store.open_published(media.sha256),
        await store.open_thumbnail(media.sha256),
    ):
        copy = await opened.read()
        for secret in (b"Secret", b"SerialNumber", b"Exif", b"ICC_PROFILE", b"2026:03", b"http"):
            assert secret not in copy
        image = Image.open(io.BytesIO(copy))
        assert dict(image.getexif()) == {}
        assert not {"exif", "icc_profile", "comment", "xmp"} & set(image.info)


@pytest.mark.parametrize("kind", TYPES)
async def test_the_cameras_claims_are_read(kind: str, store: MediaStore) -> None:
    media = await receive(store, encoded(scene(), kind, exif=camera_exif()))

    assert media.captured_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    where = media.captured_position
    assert where is not None
    assert (where.lng, where.lat) == pytest.approx((103.8, 36.06))
    assert (where.accuracy_m, where.source) == (6.5, PositionSource.CAMERA)


async def test_south_and_west_are_negative_and_a_clock_takes_the_given_zone(
    store: MediaStore,
) -> None:
    exif = camera_exif()
    del exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.OffsetTimeOriginal]
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "S"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLongitudeRef] = "W"

    zone = timezone(timedelta(hours=-5))
    media = await receive(store, encoded(scene(), exif=exif), camera_zone=zone)

    assert media.captured_at == datetime(2026, 3, 2, 1, tzinfo=UTC)
    where = media.captured_position
    assert where is not None
    assert (where.lng, where.lat) == pytest.approx((-103.8, -36.06))


@pytest.mark.parametrize(
    "gps",
    [
        {},
        {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)},
        {2: (136.0, 3.0, 36.0)},
        {2: (36.0,)},
        {1: "?", 2: (1e9, 1.0, 7.0)},
    ],
)
async def test_a_nonsense_position_costs_the_position_only(
    gps: dict[int, Any], store: MediaStore
) -> None:
    exif = camera_exif()
    written = exif.get_ifd(ExifTags.IFD.GPSInfo)
    if gps:
        written.update(gps)
    else:
        written.clear()

    media = await receive(store, encoded(scene(), exif=exif))

    assert media.captured_position is None
    assert media.published is not None
    assert media.captured_at is not None


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_every_orientation_is_published_upright(orientation: int, store: MediaStore) -> None:
    upright = scene()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    lying = upright.transpose(undo[orientation]) if orientation in undo else upright

    plain = await receive(store, encoded(upright, "PNG"))
    media = await receive(store, encoded(lying, "PNG", exif=camera_exif(orientation)))

    assert (media.width, media.height) == (240, 160)
    assert likeness(await published(store, media), upright) < 6
    assert media.perceptual_hash == plain.perceptual_hash


async def test_a_perceptual_hash_survives_shrinking_and_tells_pictures_apart(
    store: MediaStore,
) -> None:
    first = await receive(store, encoded(scene(1200, 800)))
    shrunk = await receive(store, encoded(scene(1200, 800).resize((300, 200)), quality=40))
    other = await receive(store, encoded(scene(1200, 800).transpose(Image.Transpose.ROTATE_180)))

    assert first.perceptual_hash is not None
    assert shrunk.perceptual_hash is not None
    assert other.perceptual_hash is not None
    assert hash_distance(first.perceptual_hash, shrunk.perceptual_hash) <= 4
    assert hash_distance(first.perceptual_hash, other.perceptual_hash) > 12


# --- what is refused, and leaves nothing


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (encoded(scene()), "image/png"),
        (encoded(scene(), "PNG"), "image/jpeg"),
        (encoded(scene(), "GIF"), "image/gif"),
        (encoded(scene(), "TIFF"), None),
        (encoded(scene(), "BMP"), "image/png"),
        (encoded(scene(), "EPS"), "image/jpeg"),
        (encoded(scene(), "PDF"), "image/jpeg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "image/png"),
        (b"<script>alert(1)</script>" + encoded(scene()), "image/jpeg"),
        (b"PK\x03\x04" + bytes(60), "image/jpeg"),
    ],
)
async def test_other_kinds_are_refused(
    content: bytes, declared: str | None, store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    with pytest.raises(MediaTypeNotAllowed):
        await receive(store, content, declared_type=declared)

    assert kept() == []


async def test_a_wrong_type_is_refused_before_the_rest_is_read(store: MediaStore) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"GIF89a" + bytes(20)
        raise AssertionError("read on although the type was known to be wrong")

    with pytest.raises(MediaTypeNotAllowed):
        await store.receive(stream())


async def test_a_type_is_recognised_though_it_arrives_byte_by_byte(store: MediaStore) -> None:
    media = await store.receive(pieces(encoded(scene(20, 20)), size=1))

    assert media.media_type == "image/jpeg"


async def test_an_endless_stream_is_cut_at_the_limit(
    store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield encoded(scene())
        while True:
            taken += 100_000
            yield bytes(100_000)

    with pytest.raises(MediaTooLarge) as refusal:
        await store.receive(endless(), limits=MediaLimits(max_bytes=3_000_000))

    assert (refusal.value.code, refusal.value.status) == ("media-too-large", 413)
    assert taken <= 3_100_000
    assert kept() == []


async def test_the_limit_itself_is_allowed(store: MediaStore) -> None:
    content = encoded(scene())

    assert await receive(store, content, limits=MediaLimits(max_bytes=len(content)))
    with pytest.raises(MediaTooLarge):
        await receive(store, content, limits=MediaLimits(max_bytes=len(content) - 1))


async def test_a_stream_that_breaks_off_leaves_nothing(
    store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield encoded(scene())
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.receive(broken())

    assert kept() == []


async def test_a_bomb_is_refused_from_its_header(
    store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    bomb = png_bomb(30_000, 3_000)
    assert len(bomb) < 100_000

    with pytest.raises(MediaTooManyPixels) as refusal:
        # Decoding it in this memory would fail differently.
        await receive(store, bomb, limits=MediaLimits(decode_memory_bytes=200_000_000))

    assert (refusal.value.code, refusal.value.status) == ("media-too-many-pixels", 422)
    assert kept() == []


async def test_a_webp_canvas_is_judged_before_anything_is_allocated_for_it(
    store: MediaStore,
) -> None:
    content = bytearray(encoded(scene(), "WEBP", exif=camera_exif()))
    assert content[12:16] == b"VP8X"
    content[24:30] = (16_000).to_bytes(3, "little") + (16_000).to_bytes(3, "little")

    with pytest.raises(MediaTooManyPixels):
        await receive(store, bytes(content), limits=MediaLimits(decode_memory_bytes=200_000_000))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
async def test_the_pixel_limit_holds_for_every_kind(kind: str, store: MediaStore) -> None:
    content = encoded(scene(200, 100), kind)

    assert await receive(store, content, limits=MediaLimits(max_pixels=20_000))
    with pytest.raises(MediaTooManyPixels):
        await receive(store, content, limits=MediaLimits(max_pixels=19_999))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff" + bytes(500),
        b"\x89PNG\r\n\x1a\n" + bytes(500),
        b"RIFF\xff\0\0\0WEBP" + bytes(500),
        encoded(scene())[:30],
        png_bomb(0, 0),
    ],
)
async def test_what_has_no_readable_size_is_no_picture(
    content: bytes, store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    with pytest.raises(MediaUnreadable) as refusal:
        await receive(store, content)

    assert (refusal.value.code, refusal.value.status) == ("media-unreadable", 422)
    assert kept() == []


# --- damaged and suspicious, kept as evidence


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ],
)
async def test_a_photograph_cut_anywhere_is_kept_flagged_and_never_published(
    kind: str, options: dict[str, Any], store: MediaStore
) -> None:
    content = encoded(scene(), kind, exif=camera_exif(), **options)
    cuts = [len(content) * percent // 100 for percent in range(2, 100, 7)]

    async def judge(cut: int) -> bool:
        part = content[:cut]
        try:
            media = await receive(store, part)
        except MediaUnreadable:
            with pytest.raises(MediaNotFound):
                await store.open_original(hashlib.sha256(part).hexdigest())
            return False
        assert media.fault is MediaFault.TRUNCATED
        assert media.published is None
        assert await (await store.open_original(media.sha256)).read() == part
        with pytest.raises(MediaNotFound):
            await store.open_published(media.sha256)
        with pytest.raises(MediaNotFound):
            await store.open_thumbnail(media.sha256)
        return True

    outcomes = [await judge(cut) for cut in [*cuts, len(content) - 1, len(content) - 2]]

    assert all(outcomes[-8:])
    assert outcomes == sorted(outcomes), "once the size can be read, every longer part is kept"


async def test_damage_in_the_middle_is_kept_and_flagged(store: MediaStore) -> None:
    content = bytearray(encoded(scene(), "PNG"))
    at = content.index(b"IDAT") + 40
    content[at : at + 20] = bytes(20)

    media = await receive(store, bytes(content))

    assert media.fault is MediaFault.UNDECODABLE
    assert (media.width, media.height) == (240, 160)
    assert await store.verify_original(media.sha256)
    with pytest.raises(MediaNotFound):
        await store.open_published(media.sha256)


@pytest.mark.parametrize("kind", TYPES)
async def test_what_is_hung_on_is_counted_sealed_and_not_published(
    kind: str, store: MediaStore
) -> None:
    payload = b"PK\x03\x04%PDF-1.7<html><script>alert(1)</script></html>"
    content = encoded(scene(), kind) + payload

    media = await receive(store, content)

    assert media.trailing_bytes == len(payload)
    assert media.fault is None
    assert (await (await store.open_original(media.sha256)).read()).endswith(payload)
    assert b"script" not in await (await store.open_published(media.sha256)).read()


async def test_what_hides_in_a_comment_is_not_published(store: MediaStore) -> None:
    content = encoded(scene(), comment=b"%PDF-1.7 */<script>alert(1)</script>")

    media = await receive(store, content)

    assert b"script" not in await (await store.open_published(media.sha256)).read()
    assert b"PDF" not in await (await store.open_thumbnail(media.sha256)).read()


async def test_a_picture_that_takes_too_long_is_kept_and_can_be_published_later(
    store: MediaStore, children: Callable[[], list[str]]
) -> None:
    content = png_bomb(7_000, 7_000)
    hurried = MediaLimits(decode_seconds=0.4)

    media = None
    while media is None:  # on a busy machine not even the header is read in that time
        try:
            media = await receive(store, content, limits=hurried)
        except Exception as error:  # noqa: BLE001 - the code says which
            assert getattr(error, "code", None) == "media-store-unavailable"  # noqa: PT017
            hurried = MediaLimits(decode_seconds=hurried.decode_seconds * 1.3)

    assert media.fault is MediaFault.TOO_SLOW
    assert children() == []
    assert (media.width, media.height) == (7_000, 7_000)
    with pytest.raises(MediaNotFound):
        await store.open_published(media.sha256)
    again = await store.receive((await store.open_original(media.sha256)).chunks)
    assert again.sha256 == media.sha256
    assert again.fault is None
    assert (await published(store, again)).size == (1920, 1920)


async def test_a_picture_beyond_the_memory_given_is_kept_and_flagged(store: MediaStore) -> None:
    limits = MediaLimits(decode_memory_bytes=160_000_000)

    media = await receive(store, encoded(Image.new("RGBA", (6_000, 6_000)), "PNG"), limits=limits)

    assert media.fault is MediaFault.TOO_LARGE_TO_DECODE
    assert media.published is None


# --- twice, together, interrupted, full


async def test_the_same_bytes_twice_are_stored_once(
    store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    content = encoded(scene())

    first = await receive(store, content)
    files = kept()
    second = await receive(store, content)

    assert first == second
    assert kept() == files


async def test_the_same_upload_many_times_at_once_is_one_photograph(
    store: MediaStore, kept: Callable[[], list[str]]
) -> None:
    content = encoded(scene())

    results = await asyncio.gather(*(receive(store, content) for _ in range(8)))

    assert set(results) == {results[0]}
    assert len(kept()) == 3
    assert await store.verify_original(results[0].sha256)


async def test_a_cancelled_upload_leaves_no_file_and_no_process(
    store: MediaStore, kept: Callable[[], list[str]], children: Callable[[], list[str]]
) -> None:
    upload = asyncio.create_task(receive(store, png_bomb(7_000, 7_000)))
    while not children():  # noqa: ASYNC110 - the start of a process is no event of ours
        await asyncio.sleep(0)

    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload

    assert kept() == []
    assert children() == []
    assert await receive(store, encoded(scene()))


def _limit_file_size(size: int) -> Iterator[None]:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def no_room_for_more_than_8_kb() -> Iterator[None]:
    yield from _limit_file_size(8_000)


@pytest.mark.parametrize("original_fits", [False, True])
async def test_without_room_nothing_is_half_stored(
    *,
    original_fits: bool,
    store: MediaStore,
    kept: Callable[[], list[str]],
    no_room_for_more_than_8_kb: None,
) -> None:
    """A picture of black and white noise is short as PNG but long as the JPEG that is published."""
    noise = Image.effect_noise((200, 200), 90).convert("1" if original_fits else "L")
    content = encoded(noise, "PNG")
    assert (len(content) < 8_000) == original_fits

    with pytest.raises(StorageFull) as refusal:
        await receive(store, content)

    assert (refusal.value.code, refusal.value.status) == ("storage-full", 507)
    assert kept() == []


async def test_on_a_full_disk_nothing_is_half_stored(
    folder: Path, kept: Callable[[], list[str]]
) -> None:
    folder.mkdir()  # noqa: ASYNC240 - nobody waits here
    mounted = subprocess.run(  # noqa: ASYNC221, S603
        ["/bin/mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        store = MediaStore.at(str(folder))
        stored = []

        async def fill() -> None:
            for shade in range(1_000):
                image = Image.new("RGB", (640, 480), (shade % 256, shade // 256, 9))
                stored.append((await receive(store, encoded(image, "PNG"))).sha256)

        with pytest.raises(StorageFull):
            await fill()
        assert stored
        for name in stored:
            assert await store.verify_original(name)
        assert len(kept()) == 3 * len(stored)
    finally:
        subprocess.run(["/bin/umount", str(folder)], check=True)  # noqa: ASYNC221, S603


RECEIVE_FOR_EVER = """
import asyncio, io, itertools, sys
from PIL import Image
from shared.media import MediaStore

async def one(content):
    yield content

async def main():
    store = MediaStore.at(sys.argv[1])
    for shade in itertools.count(int(sys.argv[2])):
        out = io.BytesIO()
        Image.new("RGB", (64, 64), (shade % 256, shade // 256, 9)).save(out, "PNG")
        print((await store.receive(one(out.getvalue()))).sha256, flush=True)

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_it_reported(store: MediaStore, folder: Path) -> None:
    reported = []
    for life in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            RECEIVE_FOR_EVER,
            str(folder),
            str(life * 100),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        lines = [await process.stdout.readline() for _ in range(life + 1)]
        reported += [line.decode().strip() for line in lines]
        process.kill()
        await process.communicate()

    everything = [name async for name in store.stored_before(datetime.now(UTC) + timedelta(days=1))]
    assert set(reported) <= set(everything)
    for name in everything:
        assert await store.verify_original(name)
        assert (await store.open_published(name)).size > 0
        assert (await store.open_thumbnail(name)).size > 0


# --- keeping


@pytest.mark.parametrize("url", ["folder", "memory"])
async def test_what_no_row_names_can_be_found_and_discarded(url: str, folder: Path) -> None:
    store = MediaStore.at(str(folder) if url == "folder" else "memory://")
    orphan = await receive(store, encoded(scene()))
    named = await receive(store, encoded(scene(50, 50)))
    now = datetime.now(UTC)

    found = {name async for name in store.stored_before(now + timedelta(minutes=1))}
    await store.discard(orphan.sha256)
    await store.discard(orphan.sha256)

    assert found == {orphan.sha256, named.sha256}
    assert [n async for n in store.stored_before(now - timedelta(days=1))] == []
    assert [n async for n in store.stored_before(now + timedelta(days=1))] == [named.sha256]
    for opening in (store.open_original, store.open_published, store.open_thumbnail):
        with pytest.raises(MediaNotFound):
            await opening(orphan.sha256)


async def test_a_tampered_original_is_noticed_and_healed_by_the_same_upload(
    store: MediaStore, folder: Path
) -> None:
    content = encoded(scene())
    media = await receive(store, content)
    path = folder / "originals" / media.sha256[:2] / media.sha256[2:4] / media.sha256
    assert path.stat().st_mode & 0o222 == 0
    path.chmod(0o600)
    path.write_bytes(content[:-1] + b"\0")

    assert not await store.verify_original(media.sha256)
    await receive(store, content)
    assert await store.verify_original(media.sha256)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "", "A" * 64])
async def test_only_hashes_open_files(name: str, store: MediaStore) -> None:
    with pytest.raises(MediaNotFound):
        await store.open_original(name)
    with pytest.raises(MediaNotFound):
        await store.open_published(name)
    with pytest.raises(MediaNotFound):
        await store.discard(name)


def test_the_darkroom_sees_nothing_of_the_suite() -> None:
    """It is a script of the standard library and Pillow: quick to start, with nothing to steal."""
    check = "import sys, json; sys.argv=['x']; import runpy; runpy.run_path(sys.stdin.read())"
    script = str(ROOT / "shared" / "media" / "darkroom.py")
    report = subprocess.run(  # noqa: S603
        [sys.executable, "-I", "-c", f"{check}; print(json.dumps(sorted(sys.modules)))"],
        input=script,
        capture_output=True,
        check=True,
        text=True,
    )

    loaded = json.loads(report.stdout)
    assert "PIL.Image" in loaded
    assert not [name for name in loaded if name.split(".")[0] in {"shared", "services", "obstore"}]
