"""Photographs come in, are shown without metadata; originals are opened on the record only."""

import hashlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageDraw

from services.intake.media.service import discard_orphans, keep
from shared.media import MediaStoreUnavailable
from shared.vocabulary import Role


def picture(shade: int = 0, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.new("RGB", (64, 48), (shade, 90, 30)).save(out, kind, exif=exif)
    return out.getvalue()


JPEG = {"Content-Type": "image/jpeg"}


async def test_a_photograph_is_named_by_its_content_and_shown_without_metadata(
    intake: Any,
) -> None:
    content = picture()
    client = intake.collector()
    sent = await client.post("/media", content=content, headers=JPEG)
    view = sent.json()
    assert sent.status_code == 201, sent.text
    assert view["sha256"] == hashlib.sha256(content).hexdigest()
    assert (view["width"], view["height"], view["shown"]) == (64, 48, True)
    again = await intake.collector("collector02").post("/media", content=content, headers=JPEG)
    assert again.json() == view
    shown = await intake.operator.get(f"/media/{view['sha256']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert b"secret place" in content
    assert b"secret place" not in shown.content
    cached = await intake.operator.get(
        f"/media/{view['sha256']}", headers={"If-None-Match": shown.headers["etag"]}
    )
    assert cached.status_code == 304
    small = await intake.operator.get(f"/media/{view['sha256']}/thumbnail")
    assert Image.open(io.BytesIO(small.content)).format == "JPEG"
    report = await intake.report(media=[view["sha256"]])
    assert report["state"] == "registered"


async def test_the_original_is_for_supervisors_and_on_the_record(intake: Any) -> None:
    content = picture(kind="PNG")
    view = (
        await intake.collector().post(
            "/media", content=content, headers={"Content-Type": "image/png"}
        )
    ).json()
    path = f"/media/{view['sha256']}/original"
    assert (await intake.operator.get(path)).status_code == 403
    assert (await intake.anonymous.get(path)).status_code == 401
    supervisor = intake.sut.client(Role.SUPERVISOR)
    original = await supervisor.get(path)
    assert original.content == content
    assert original.headers["content-type"] == "image/png"
    runtime = intake.sut.runtime
    async with runtime.database.reading() as session:
        [row] = (await session.exec(runtime.tables.audit.select())).all()
    assert (row.action, row.actor_id) == ("read-original", "supervisor-1")
    assert row.object == f"media:{view['sha256']}"


async def test_a_form_is_taken_too(intake: Any) -> None:
    content = picture(7)
    files = {"file": ("../../x.jpg", content, "image/jpeg")}
    sent = await intake.collector().post("/media", files=files)
    assert sent.json()["sha256"] == hashlib.sha256(content).hexdigest()
    empty = await intake.collector().post("/media", files={"other": ("x", b"x", "image/jpeg")})
    assert (empty.status_code, empty.json()["code"]) == (422, "file-missing")


async def test_what_is_no_photograph_is_refused(intake: Any) -> None:
    client = intake.collector()
    page = await client.post("/media", content=b"<html>" * 50, headers=JPEG)
    assert page.status_code == 415
    disguised = await client.post(
        "/media", content=picture(), headers={"Content-Type": "image/png"}
    )
    assert disguised.status_code == 415
    long = picture() + b"\0" * (20 * 1024 * 1024)
    assert (await client.post("/media", content=long, headers=JPEG)).status_code == 413
    form = await client.post("/media", files={"file": ("x.jpg", long, "image/jpeg")})
    assert form.status_code == 413
    assert (await client.get(f"/media/{'0' * 64}")).status_code == 404
    assert (await client.get("/media/..%2Fx")).status_code == 404


async def test_the_quota_counts_per_person_and_day(intake: Any) -> None:
    client = intake.collector()
    codes = [
        (await client.post("/media", content=picture(shade), headers=JPEG)).status_code
        for shade in range(4)
    ]
    assert codes == [201, 201, 201, 429]
    other = await intake.collector("collector02").post("/media", content=picture(9), headers=JPEG)
    assert other.status_code == 201
    intake.clock.advance(timedelta(days=1, seconds=1))
    assert (await client.post("/media", content=picture(4), headers=JPEG)).status_code == 201


async def test_citizens_send_photographs_with_a_quota_of_their_own(intake: Any) -> None:
    sent = [
        await intake.anonymous.post("/public/media", content=picture(shade), headers=JPEG)
        for shade in range(3)
    ]
    assert [answer.status_code for answer in sent] == [201, 201, 429]
    body = {
        "description": "垃圾",
        "place": {"address": "x"},
        "media": [sent[0].json()["sha256"]],
    }
    assert (await intake.anonymous.post("/public/reports", json=body)).status_code == 201
    assert (await intake.anonymous.post("/media", content=picture())).status_code == 401


def scene(shade: int, *, taken: str | None = None, quality: int = 90) -> bytes:
    """A picture with structure, that looks the same at another quality."""
    image = Image.linear_gradient("L").rotate(90 + shade).resize((240, 160)).convert("RGB")
    draw = ImageDraw.Draw(image)
    draw.line((0, 160, 240, 0), fill=(20, 20, 120), width=5)
    draw.ellipse((120, 80, 235, 155), fill=(30, 160, 60))
    exif = Image.Exif()
    if taken is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=quality)
    return out.getvalue()


async def test_photographs_of_another_time_or_sent_before_are_shown_as_doubtful(
    intake: Any,
) -> None:
    client = intake.collector()

    async def uploaded(content: bytes) -> str:
        answer = await client.post("/media", content=content, headers=JPEG)
        sha256: str = answer.json()["sha256"]
        return sha256

    old = await uploaded(scene(0, taken="2026:06:01 09:50:00"))
    intake.clock.advance(timedelta(days=2))
    alike = await uploaded(scene(0, quality=60))
    fresh = await uploaded(scene(90, taken="2026:06:03 09:50:00"))
    report = await intake.report(media=[fresh, old, alike])

    shown = await intake.operator.get(f"/reports/{report['id']}/photographs")

    assert {row["sha256"]: row["doubts"] for row in shown.json()} == {
        fresh: [],
        old: ["taken-at-another-time", "sent-before"],
        alike: ["like-one-sent-before"],
    }
    assert [row["sha256"] for row in shown.json()] == [fresh, old, alike]
    assert shown.json()[0]["captured_at"] == "2026-06-03T01:50:00Z"
    stranger = intake.collector("collector02")
    assert (await stranger.get(f"/reports/{report['id']}/photographs")).status_code == 404


async def test_files_that_nobody_wrote_down_are_removed_after_their_time(intake: Any) -> None:
    runtime, client = intake.sut.runtime, intake.collector()
    kept = (await client.post("/media", content=picture(1), headers=JPEG)).json()["sha256"]

    async def lost() -> str:
        """Files of an upload that ended before its row was written."""

        async def stream() -> AsyncIterator[bytes]:
            yield picture(2)

        media = await runtime.media.receive(stream())
        return media.sha256

    orphan = await lost()
    runtime.clock.set(datetime.now(UTC) + timedelta(hours=47))
    await discard_orphans(runtime)
    assert await runtime.media.holds(orphan)
    runtime.clock.advance(timedelta(hours=2))

    await discard_orphans(runtime)

    assert not await runtime.media.holds(orphan)
    assert await runtime.media.holds(kept)
    assert (await intake.operator.get(f"/media/{kept}")).status_code == 200


async def test_a_photograph_removed_while_it_was_sent_has_to_be_sent_again(intake: Any) -> None:
    runtime = intake.sut.runtime

    async def stream() -> AsyncIterator[bytes]:
        yield picture(3)

    media = await runtime.media.receive(stream())
    await runtime.media.discard(media.sha256)

    async with runtime.database.transaction() as session:
        with pytest.raises(MediaStoreUnavailable, match="again"):
            await keep(session, runtime.media, media, "somebody", runtime.clock.now())
