"""Develops one photograph in a process of its own: measures it, then makes the copies to show.

Pictures come from strangers and decoders have faults, so decoding never happens inside a service.
The parent starts this file as a script (`python -I darkroom.py`), hands the order over on standard
input and reads the findings from standard output, JSON line by line. The process limits its own
memory and processor time first and the parent kills it when it takes too long. It imports nothing
of the suite, so that it starts quickly and holds no secrets.
"""

import json
import math
import mmap
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import ExifTags, Image, ImageCms, ImageOps

FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
HASH_EDGE: Final = 8
PUBLISHED_QUALITY: Final = 85
THUMBNAIL_QUALITY: Final = 75
PNG_SIGNATURE_LENGTH: Final = 8
_PNG_CHUNK_FRAME: Final = 12
_RIFF_HEAD: Final = 8
_WEBP_HEAD: Final = 30
_VP8L_HEAD: Final = 5
_VP8L_SIGNATURE: Final = 0x2F
_VP8_EDGE: Final = 0x3FFF
_MARKERS_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_MARK: Final = 0xFF
_JPEG_END: Final = 0xD9
_JPEG_SCAN: Final = 0xDA
_TEXT_LENGTH: Final = 32
_END_OF_SCAN: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FIRST_TURN_THAT_SWAPS_EDGES: Final = 5

Findings = dict[str, Any]


class Refused(Exception):
    """The picture is not taken in at all; the text is the reason the parent knows."""


def develop(order: dict[str, Any]) -> Iterator[Findings]:
    """Measure the original, then write the two copies beside it.

    The size is told before decoding begins, for whoever has to stop it.

    Args:
        order: `source`, `published` and `thumbnail` (paths), `media_type` (as sniffed),
            `max_pixels`, `max_edge` and `thumbnail_edge`.

    Yields:
        What was found, in two parts. `fault` is in the second, and no copy written, when the
        picture cannot be seen whole.

    Raises:
        Refused: no size can be read, or it is over the limit.
    """
    source, media_type = Path(order["source"]), order["media_type"]
    size = _size(source, media_type)
    if size[0] * size[1] > order["max_pixels"]:
        raise Refused("too-many-pixels")
    yield {"width": size[0], "height": size[1]}
    end = _end_of_picture(source, media_type)
    if end is None:
        yield {"fault": "truncated"} | _told_by_damaged(source, media_type, size)
        return
    findings: Findings = {"fault": None, "trailing_bytes": source.stat().st_size - end}
    try:
        with _opened(source, media_type) as image:
            shown, camera = _print(image, size, order["max_edge"])
    except Exception as error:  # noqa: BLE001 - decoders raise anything at all on damaged input
        fault = "too-large-to-decode" if isinstance(error, MemoryError) else "undecodable"
        yield findings | {"fault": fault} | _told_by_damaged(source, media_type, size)
        return
    small = shown.copy()
    small.thumbnail((order["thumbnail_edge"], order["thumbnail_edge"]), Image.Resampling.LANCZOS)
    _write(shown, order["published"], quality=PUBLISHED_QUALITY, progressive=True)
    _write(small, order["thumbnail"], quality=THUMBNAIL_QUALITY)
    yield (
        findings
        | _told(camera, size)
        | {
            "published": shown.size,
            "thumbnail": small.size,
            "perceptual_hash": perceptual_hash(shown),
        }
    )


def _write(image: Image.Image, path: str, **options: Any) -> None:
    """Encode in memory first: Pillow's own writing to a full disk fails without saying so."""
    out = BytesIO()
    image.save(out, "JPEG", **options)
    Path(path).write_bytes(out.getbuffer())


def _opened(source: Path, media_type: str) -> Image.Image:
    """Let the one decoder of the sniffed type at the file, no other."""
    return Image.open(source, formats=[FORMATS[media_type]])


def _size(source: Path, media_type: str) -> tuple[int, int]:
    """Width and height by the header, nothing decoded."""
    if media_type == "image/webp":
        # Pillow reads a WebP whole and makes room for its canvas before it tells the size.
        with source.open("rb") as file:
            size = size_of_webp(file.read(_WEBP_HEAD))
    else:
        with _opened(source, media_type) as image:
            size = image.size
    if min(size) < 1:
        raise Refused("unreadable")
    return size


def _told(camera: Findings, size: tuple[int, int]) -> Findings:
    turned = camera["orientation"] >= _FIRST_TURN_THAT_SWAPS_EDGES
    width, height = reversed(size) if turned else size
    return {"camera": camera, "width": width, "height": height}


def _told_by_damaged(source: Path, media_type: str, size: tuple[int, int]) -> Findings:
    """What the camera wrote is worth having even where the picture is not to be had."""
    with suppress(Exception), _opened(source, media_type) as image:
        return _told(camera_facts(image), size)
    return {}


def _print(
    image: Image.Image, size: tuple[int, int], max_edge: int
) -> tuple[Image.Image, Findings]:
    """Decode, shrink, turn upright and leave every piece of metadata behind."""
    if image.size != size:
        raise ValueError("the header tells another size than the decoder")
    image.draft(None, (max_edge, max_edge))  # JPEG only: decodes no finer than needed
    image.load()
    camera = camera_facts(image)
    profile = image.info.get("icc_profile")
    shown = _as_rgb(image)
    # The JPEG writer would copy profile and comment from here.
    shown.info = {}
    shown.thumbnail((max_edge, max_edge), Image.Resampling.LANCZOS)
    shown = _in_srgb(shown, profile)
    turn = _TURNS.get(camera["orientation"])
    return (shown.transpose(turn) if turn is not None else shown), camera


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey: keep the upper eight
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(paper, layered).convert("RGB")
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Keep the colours of wide-gamut phones right once their profile is gone."""
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            embedded = ImageCms.ImageCmsProfile(BytesIO(profile))
            turned = ImageCms.profileToProfile(
                image, embedded, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if turned is not None:
                turned.info = {}
                return turned
    return image


def perceptual_hash(image: Image.Image) -> str:
    """64 bits, as 16 hexadecimal digits: is each ninth of a row darker than its right neighbour."""
    grey = ImageOps.grayscale(image).resize(
        (HASH_EDGE + 1, HASH_EDGE), Image.Resampling.BOX, reducing_gap=None
    )
    pixels = grey.tobytes()
    bits = 0
    for row in range(HASH_EDGE):
        start = row * (HASH_EDGE + 1)
        for column in range(start, start + HASH_EDGE):
            bits = bits << 1 | (pixels[column] < pixels[column + 1])
    return f"{bits:016x}"


# --- what the camera wrote ----------------------------------------------------------------------


def camera_facts(image: Image.Image) -> Findings:
    """Orientation, clock and position from EXIF; what is missing or nonsense is left out."""
    facts: Findings = {"orientation": 1}
    # Everything in EXIF is a claim of the sender's; no nonsense in it may cost the photograph.
    with suppress(Exception):
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation)
        if orientation in _TURNS:
            facts["orientation"] = int(orientation)
        details = exif.get_ifd(ExifTags.IFD.Exif)
        facts["clock"] = _text(details.get(ExifTags.Base.DateTimeOriginal))
        facts["offset"] = _text(details.get(ExifTags.Base.OffsetTimeOriginal))
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        facts |= _gps_facts(gps)
    return facts


def _gps_facts(gps: dict[int, Any]) -> Findings:
    facts: Findings = {}
    with suppress(Exception):
        lat = _sexagesimal(gps[ExifTags.GPS.GPSLatitude])
        lng = _sexagesimal(gps[ExifTags.GPS.GPSLongitude])
        south = _text(gps[ExifTags.GPS.GPSLatitudeRef]) == "S"
        west = _text(gps[ExifTags.GPS.GPSLongitudeRef]) == "W"
        # Cameras without a fix write zeros; nothing of ours lies in the Gulf of Guinea.
        if math.isfinite(lat + lng) and (lat, lng) != (0.0, 0.0):
            facts["position"] = (-lng if west else lng, -lat if south else lat)
    with suppress(Exception):
        error = float(gps[ExifTags.GPS.GPSHPositioningError])
        if math.isfinite(error) and error >= 0:
            facts["accuracy_m"] = error
    with suppress(Exception):
        hour, minute, second = (float(part) for part in gps[ExifTags.GPS.GPSTimeStamp])
        day = _text(gps[ExifTags.GPS.GPSDateStamp])
        facts["gps_clock"] = f"{day} {int(hour):02}:{int(minute):02}:{int(second):02}"
    return facts


def _sexagesimal(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return value.strip("\0 ")[:_TEXT_LENGTH] if isinstance(value, str) else None


# --- where the picture ends ---------------------------------------------------------------------


def _end_of_picture(source: Path, media_type: str) -> int | None:
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return end_of_picture(data, media_type)


def end_of_picture(data: bytes | mmap.mmap, media_type: str) -> int | None:
    """Number of bytes up to the format's own end mark, None where the mark never comes.

    Decoders are lenient: some fill a missing end with grey and none mentions what follows it.
    """
    find = {"image/jpeg": _end_of_jpeg, "image/png": _end_of_png, "image/webp": _end_of_webp}
    end = find[media_type](data)
    return end if end is not None and end <= len(data) else None


def _end_of_jpeg(data: bytes | mmap.mmap) -> int | None:
    at = 2
    while at + 1 < len(data):
        marker = data[at + 1]
        if data[at] != _JPEG_MARK:
            return None
        if marker == _JPEG_MARK:  # fill byte
            at += 1
        elif marker == _JPEG_END:
            return at + 2
        elif marker in _MARKERS_WITHOUT_LENGTH:
            at += 2
        elif at + 4 > len(data):
            return None
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
            if marker == _JPEG_SCAN:
                found = _END_OF_SCAN.search(data, at)
                if found is None:
                    return None
                at = found.end() - 2
    return None


def _end_of_png(data: bytes | mmap.mmap) -> int | None:
    at = PNG_SIGNATURE_LENGTH
    while at + _PNG_CHUNK_FRAME <= len(data):
        length = int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        at += _PNG_CHUNK_FRAME + length
        if kind == b"IEND":
            return at
    return None


def _end_of_webp(data: bytes | mmap.mmap) -> int | None:
    if len(data) < _RIFF_HEAD:
        return None
    return int.from_bytes(data[4:8], "little") + _RIFF_HEAD


def size_of_webp(head: bytes) -> tuple[int, int]:
    """Width and height by the first chunk, one of the three that a WebP may begin with."""
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X" and len(body) >= _WEBP_HEAD - 20:
        return (
            int.from_bytes(body[4:7], "little") + 1,
            int.from_bytes(body[7:10], "little") + 1,
        )
    if kind == b"VP8L" and len(body) >= _VP8L_HEAD and body[0] == _VP8L_SIGNATURE:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & _VP8_EDGE) + 1, (bits >> 14 & _VP8_EDGE) + 1
    if kind == b"VP8 " and len(body) >= _WEBP_HEAD - 20 and body[3:6] == b"\x9d\x01\x2a":
        return (
            int.from_bytes(body[6:8], "little") & _VP8_EDGE,
            int.from_bytes(body[8:10], "little") & _VP8_EDGE,
        )
    raise Refused("unreadable")


# --- the process --------------------------------------------------------------------------------


def _limit_resources(memory_bytes: int, seconds: int) -> None:
    with suppress(ImportError):  # not on every platform; the parent's own time bound remains
        import resource  # noqa: PLC0415

        wanted = (
            (resource.RLIMIT_AS, memory_bytes),
            (resource.RLIMIT_CPU, seconds),
            (resource.RLIMIT_CORE, 0),
        )
        for kind, value in wanted:
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (value, value))


def main() -> None:
    """Read the order; answer with findings, `refused`, or the `errno` of a failed write."""
    order = json.load(sys.stdin)
    _limit_resources(order["max_memory_bytes"], order["max_seconds"])
    # Our own limit is checked from the header; Pillow's guess at one would only warn.
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    try:
        for findings in develop(order):
            _tell(findings)
    except Refused as refusal:
        _tell({"refused": str(refusal)})
    except OSError as error:
        # Pillow says "cannot identify" with an OSError that carries no number.
        _tell({"errno": error.errno} if error.errno else {"refused": "unreadable"})
    except Exception:  # noqa: BLE001 - header parsers raise anything at all on damaged input
        _tell({"refused": "unreadable"})


def _tell(answer: Findings) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
