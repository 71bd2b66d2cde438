"""A caller's name and number, followed through the whole service, are found nowhere in clear."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from services.hotline.base import metadata
from services.hotline.callers.models import Caller
from shared.vocabulary import Role

NUMBER, NAME = "13987654321", "司马金丝雀"
FORMS = (NUMBER, "139-8765-4321", "87654321", NAME, "金丝雀")


async def _everything_stored(hotline: Any) -> str:
    """All rows of all tables as text, sealed bytes and stored answers included."""
    found = []
    async with hotline.sut.runtime.database.reading() as session:
        for table in metadata.sorted_tables:
            for row in (await session.exec(sa.select(table))).all():
                found += [
                    value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    for value in row
                ]
    return "\n".join(found)


async def test_the_canary_is_in_no_event_journal_list_log_or_table(
    hotline: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as entries:
        answers = await _a_story_with_everything_in_it(hotline)

    logged = f"{entries!r} {caplog.text}"
    assert "policy.denied" in logged
    told = "\n".join(envelope.to_bytes().decode() for envelope in await hotline.sut.told())
    assert "emergency_raised" in told
    stored = await _everything_stored(hotline)
    assert "caller.reveal" in stored
    sinks = {
        "answers": "\n".join(answers),
        "events": told,
        "logs": logged,
        "tables": stored,
        "files": _files(tmp_path),
    }
    for form in FORMS:
        for sink, text in sinks.items():
            assert form not in text, f"{form} is in the {sink}"
    assert "139****4321" in sinks["answers"]


async def test_a_refusal_of_the_database_does_not_repeat_what_it_refused(hotline: Any) -> None:
    caller = (await hotline.ticket())["caller_id"]
    now = hotline.clock.now()
    twin = Caller(
        id=UUID(caller),
        number_sealed=b"",
        number_index=NUMBER,
        created_at=now,
        seen_at=now,
    )
    with pytest.raises(IntegrityError) as refused:
        async with hotline.sut.runtime.database.transaction() as session:
            session.add(twin)
    assert NUMBER not in str(refused.value)


def _files(folder: Path) -> str:
    return "".join(file.read_bytes().decode("utf-8", "replace") for file in folder.rglob("*.db*"))


async def _a_story_with_everything_in_it(hotline: Any) -> list[str]:
    """Every place where a name or number could slip through; returns what was answered."""
    agent = hotline.agent
    answers: list[str] = []

    async def post(path: str, body: dict[str, Any]) -> Any:
        answer = await agent.post(path, json=body)
        answers.append(answer.text)
        return answer

    opened = await post("/calls", {"number": "139-8765-4321", "name": NAME})
    call = opened.json()
    ticket = (
        await post(
            "/tickets", {"call_id": call["id"], "description": "井盖丢失", "appeal_kind": "help"}
        )
    ).json()
    path = f"/tickets/{ticket['id']}"
    place = {"address": "西津西路 100 号"}
    for description in (f"请打{NUMBER}", f"{NAME}反映井盖丢失"):
        refused = await post(f"{path}/submission", {"description": description, "place": place})
        assert refused.json()["code"] == "personal-data-in-text"
    await post(f"{path}/submission", {"place": place, "urgency": "emergency", "confidential": True})
    await post(f"/calls/{call['id']}/end", {})
    await hotline.closed_case(ticket)
    callback = (await hotline.callbacks())[0]
    await post(f"/callbacks/{callback['id']}/attempt", {"outcome": "not-reached", "note": NAME})
    await post(
        f"/callbacks/{callback['id']}/attempt",
        {
            "outcome": "reached",
            "satisfaction": "very-dissatisfied",
            "reopen": True,
            "note": "仍有异响",
        },
    )
    await post("/callers/lookup", {"number": NUMBER})
    await post("/callers/lookup", {"number": f"{NUMBER}x"})
    await post("/tickets", {"caller": {"number": NUMBER, "name": "x" * 61}})
    for listed in ("/calls", "/tickets", "/callbacks?all=true", path, f"{path}/journal"):
        answer = await agent.get(listed)
        assert answer.status_code == 200
        answers.append(answer.text)

    async with hotline.sut.client(Role.HANDLER) as handler:
        denied = await handler.post("/callers/lookup", json={"number": NUMBER})
        answers.append(denied.text)
    shown = await agent.post(f"/callers/{call['caller_id']}/reveal", json={"reason": "回访"})
    assert (shown.json()["number"], shown.json()["name"]) == (NUMBER, NAME)
    return answers
