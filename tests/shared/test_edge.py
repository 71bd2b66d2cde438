"""The HTTP edge: one transaction a request, the same answer for the same key, problems in words."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog
import toy
from fastapi import Request
from sqlmodel.sql.sqltypes import UTCDateTime

from shared.testing import ServiceUnderTest
from shared.vocabulary import Role
from shared.web import problems
from shared.web.paging import CursorInvalid, PageRequest, after


async def _count(sut: ServiceUnderTest, table: str) -> int:
    async with sut.runtime.database.reading() as session:
        rows = await session.exec(
            sa.select(sa.func.count()).select_from(getattr(sut.runtime.tables, table))
        )
        return int(rows.one()[0])


async def test_a_command_stores_state_journal_and_answer_together(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answer = await client.post("/lamps", json={"street": "西津西路"})

        assert answer.status_code == 201
        assert answer.headers["etag"] == '"1"'
        assert await _count(sut, "journal") == 1
        assert await _count(sut, "idempotency") == 1

        lamp = answer.json()["id"]
        lit = await client.post(f"/lamps/{lamp}/light", headers={"If-Match": '"1"'})

        assert lit.json()["version"] == 2
        assert lit.headers["etag"] == '"2"'
        assert [event.sequence for event in await sut.told(toy.LampLit)] == [1]


async def test_the_same_key_gets_the_first_answer_and_does_nothing_again(
    sut: ServiceUnderTest,
) -> None:
    async with sut.client(Role.OPERATOR) as client:
        lamp = (await client.post("/lamps", json={"street": "a"})).json()["id"]
        headers = {"Idempotency-Key": "one-key"}
        first = await client.post(f"/lamps/{lamp}/light", headers=headers)
        second = await client.post(f"/lamps/{lamp}/light", headers=headers)

        assert (first.status_code, second.status_code) == (200, 200)
        assert second.json() == first.json()
        assert second.headers["idempotent-replay"] == "true"
        assert second.headers["etag"] == first.headers["etag"]
        assert len(await sut.told(toy.LampLit)) == 1


async def test_the_same_key_with_another_body_is_refused(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        headers = {"Idempotency-Key": "one-key"}
        await client.post("/lamps", json={"street": "a"}, headers=headers)
        other = await client.post("/lamps", json={"street": "b"}, headers=headers)

        assert other.status_code == 422
        assert other.json()["code"] == "idempotency-key-reused"


async def test_keys_of_other_people_are_other_keys(sut: ServiceUnderTest) -> None:
    headers = {"Idempotency-Key": "one-key"}
    ids = set()
    for person in ("a", "b"):
        async with sut.client(Role.OPERATOR, subject=person) as client:
            answer = await client.post("/lamps", json={"street": "s"}, headers=headers)
            ids.add(answer.json()["id"])

    assert len(ids) == 2


async def test_twenty_sendings_at_once_have_one_effect(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        lamp = (await client.post("/lamps", json={"street": "a"})).json()["id"]
        headers = {"Idempotency-Key": "one-key"}
        answers = await asyncio.gather(
            *(client.post(f"/lamps/{lamp}/light", headers=headers) for _ in range(20))
        )

    # A busy pool may refuse some for a while; nobody may be told anything but the one answer.
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert any(answer.status_code == 200 for answer in answers)
    assert len(await sut.told(toy.LampLit)) == 1


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Idempotency-Key": ""}, 400, "idempotency-key-required"),
        ({"Idempotency-Key": "x" * 256}, 400, "idempotency-key-required"),
    ],
)
async def test_a_command_without_a_fit_key_is_refused(
    sut: ServiceUnderTest, headers: dict[str, str], status: int, code: str
) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answer = await client.post("/lamps", json={"street": "a"}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_refusals_say_why_and_store_nothing(sut: ServiceUnderTest) -> None:
    async with (
        sut.client() as nobody,
        sut.client(Role.AGENT) as agent,
        sut.client(Role.OPERATOR) as op,
    ):
        assert (await nobody.post("/lamps", json={"street": "a"})).json()["code"] == "not-signed-in"
        assert (await agent.post("/lamps", json={"street": "a"})).json()["code"] == "forbidden"
        unknown = await op.post("/lamps", json={"street": "a", "lit": True})
        assert unknown.status_code == 422
        assert unknown.json()["faults"][0]["where"] == "body.lit"
        nul = await op.post("/lamps", json={"street": "a\x00b"})
        assert nul.json()["code"] == "invalid-input"
        broken = await op.post("/lamps", content=b"{", headers={"content-type": "application/json"})
        assert broken.status_code == 422
        huge = await op.post("/lamps", json={"street": "a" * 2_000_000})
        assert (huge.status_code, huge.json()["code"]) == (413, "body-too-large")
        missing = await op.post(f"/lamps/{uuid4()}/light")
        assert missing.json()["code"] == "not-found"
        assert (await op.delete("/lamps")).status_code == 405
    assert await _count(sut, "idempotency") == 0


async def test_a_version_that_has_passed_is_refused(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        lamp = (await client.post("/lamps", json={"street": "a"})).json()["id"]
        answer = await client.post(f"/lamps/{lamp}/light", headers={"If-Match": '"7"'})

        assert answer.status_code == 412
        assert answer.json()["current"] == '"1"'


async def test_pages_meet_every_row_once(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        for number in range(7):
            await client.post("/lamps", json={"street": f"street {number % 3}"})
        seen, cursor = [], None
        while True:
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            answer = await client.get("/lamps", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            seen += [(item["street"], item["id"]) for item in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        bad = await client.get("/lamps", params={"cursor": "nonsense"})

    assert len(set(seen)) == 7
    assert seen == sorted(seen)
    assert bad.json()["code"] == "cursor-invalid"


async def test_the_correlation_id_comes_back_and_goes_into_events(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        lamp = (await client.post("/lamps", json={"street": "a"})).json()["id"]
        answer = await client.post(
            f"/lamps/{lamp}/light", headers={"X-Correlation-ID": "story-0001"}
        )

    assert answer.headers["x-correlation-id"] == "story-0001"
    assert (await sut.told())[0].correlationid == "story-0001"


async def test_health_tells_what_is_wrong(sut: ServiceUnderTest) -> None:
    async with sut.client() as client:
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).json() == {"status": "ready", "faults": []}
        assert "minqing_http_request_seconds" in (await client.get("/metrics")).text


async def test_commands_that_only_add_are_stored_whole_by_many_at_once(
    sut: ServiceUnderTest,
) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answers = await asyncio.gather(
            *(client.post("/lamps/quick", json={"street": f"s{n}"}) for n in range(30))
        )
        listed = (await client.get("/lamps", params={"limit": 100})).json()["items"]

    assert {answer.status_code for answer in answers} == {201}
    assert len(listed) == len({answer.json()["id"] for answer in answers}) == 30
    assert len(await sut.told()) == await _count(sut, "journal") == 30
    assert await _count(sut, "idempotency") == 30


async def test_one_refused_addition_does_not_touch_the_others(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        keys = [str(number % 5) for number in range(20)]
        answers = await asyncio.gather(
            *(
                client.post("/lamps/quick", json={"street": "s"}, headers={"Idempotency-Key": key})
                for key in keys
            )
        )

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 5
    assert len(await sut.told()) == await _count(sut, "journal") == 5


async def test_a_caller_who_sends_slowly_keeps_nobody_from_writing(sut: ServiceUnderTest) -> None:
    waiting, release = asyncio.Event(), asyncio.Event()
    answers: list[Any] = []

    async def slow_body() -> dict[str, Any]:
        waiting.set()
        await release.wait()
        return {"type": "http.request", "body": b'{"street": "a"}', "more_body": False}

    async def note(message: Any) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/public/lamps",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    slow = asyncio.create_task(sut.app(scope, slow_body, note))
    await waiting.wait()
    async with sut.client(Role.OPERATOR) as client, asyncio.timeout(5):
        assert (await client.post("/lamps", json={"street": "b"})).status_code == 201
    release.set()
    await slow

    assert answers[0]["status"] == 201


async def _two_megabytes() -> AsyncIterator[bytes]:
    for _ in range(200):
        yield b"x" * 10_000


@pytest.mark.parametrize("path", ["/lamps", "/public/lamps"])
async def test_a_body_that_does_not_tell_its_length_is_refused_while_it_streams_in(
    sut: ServiceUnderTest, path: str
) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answer = await client.post(
            path, content=_two_megabytes(), headers={"content-type": "application/json"}
        )

    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_only_the_addresses_for_photographs_take_large_bodies(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answer = await client.post("/lamps/media", content=b"x" * 2_000_000)

    assert answer.status_code == 413


async def test_a_fault_of_the_program_is_answered_like_everything_else(
    sut: ServiceUnderTest,
) -> None:
    async with sut.client() as client:
        answer = await client.post("/public/broken", headers={"X-Correlation-ID": "story-0002"})

    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    assert answer.headers["x-correlation-id"] == answer.json()["correlation_id"] == "story-0002"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "a fault of the program" not in answer.text


async def test_names_that_are_no_text_are_refused_in_words(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answer = await client.post(
            "/lamps",
            content=b'{"street": "a", "\\ud800": 1}',
            headers={"content-type": "application/json"},
        )

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


async def test_an_answer_lists_no_more_faults_than_somebody_reads(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        answer = await client.post("/lamps", json={f"f{number}": 1 for number in range(10_000)})

    assert answer.status_code == 422
    assert 1 <= len(answer.json()["faults"]) <= 50


async def test_methods_that_nobody_knows_make_no_figures_of_their_own(
    sut: ServiceUnderTest,
) -> None:
    async with sut.client() as client:
        assert (await client.request("BREW", "/lamps")).status_code == 405
        assert "BREW" not in (await client.get("/metrics")).text


async def test_pages_follow_long_names(sut: ServiceUnderTest) -> None:
    async with sut.client(Role.OPERATOR) as client:
        for number in range(3):
            await client.post("/lamps", json={"street": "路" * 299 + str(number)})
        first = (await client.get("/lamps", params={"limit": 1})).json()
        second = await client.get("/lamps", params={"limit": 1, "cursor": first["next_cursor"]})

    assert second.status_code == 200, second.text
    assert second.json()["items"][0]["street"].endswith("1")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (sa.Column("n", sa.Integer()), "Infinity"),
        (sa.Column("n", sa.Integer()), "1" + "0" * 30),
        (sa.Column("n", sa.Integer()), "null"),
        (sa.Column("at", UTCDateTime()), '"0001-01-01T00:00:00+14:00"'),
        (sa.Column("at", UTCDateTime()), "7"),
        (sa.Column("id", sa.Uuid()), "7"),
        (sa.Column("name", sa.String()), '"a\\u0000b"'),
    ],
)
def test_a_cursor_that_was_tampered_with_is_told_so(column: sa.Column[Any], value: str) -> None:
    cursor = base64.urlsafe_b64encode(f"[{value}]".encode()).decode()
    table = sa.Table("t", sa.MetaData(), column)

    with pytest.raises(CursorInvalid):
        after(sa.select(table), [table.c[column.name]], PageRequest(cursor=cursor))


def test_a_cursor_is_json_in_base64() -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([7]).encode()).decode()
    table = sa.Table("t", sa.MetaData(), sa.Column("n", sa.Integer()))

    assert "n" in str(after(sa.select(table), [table.c.n], PageRequest(cursor=cursor)))


async def test_what_a_constraint_refused_is_logged_without_the_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logs = structlog.testing.CapturingLogger()
    monkeypatch.setattr(problems, "log", logs)
    request = Request({"type": "http", "path": "/lamps", "headers": [], "query_string": b""})
    row = Exception("DETAIL:  Failing row contains (13800138000)")
    await problems._on_integrity(request, sa.exc.IntegrityError("INSERT", {}, row))
    await problems._on_data(request, sa.exc.DataError("INSERT", {}, row))

    assert len(logs.calls) == 2
    assert "13800138000" not in repr(logs.calls)
