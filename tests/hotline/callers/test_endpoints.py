"""Callers over HTTP: masked, revealed on the record, forgotten."""

import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from services.hotline.app import prepare, service
from services.hotline.config import HotlineSettings
from shared.pack.model import CityPack
from shared.seal.domain import PersonalDataKeyMissing
from shared.testing import service_under_test
from shared.vocabulary import Role


def _key_in(folder: Path) -> str:
    return (folder / "hotline-personal-data.key").read_text()


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.key*")}


async def _audit(hotline: Any) -> list[Any]:
    async with hotline.sut.runtime.database.reading() as session:
        return list((await session.exec(sa.select(hotline.sut.runtime.tables.audit))).all())


async def test_a_caller_is_found_again_by_number_and_shown_masked(hotline: Any) -> None:
    first = await hotline.ticket()
    second = await hotline.ticket(caller={"number": "+86 138 0000 1234"})
    assert first["caller_id"] == second["caller_id"]
    assert second["caller"]["number"] == "138****1234"
    assert second["caller"]["name"] == "张**"

    found = await hotline.agent.post("/callers/lookup", json={"number": "138 0000 1234"})
    assert (found.status_code, found.json()["id"]) == (200, first["caller_id"])
    read = await hotline.agent.get(f"/callers/{first['caller_id']}")
    assert read.json()["number"] == "138****1234"
    missing = await hotline.agent.post("/callers/lookup", json={"number": "13900000000"})
    assert (missing.status_code, missing.json()["code"]) == (404, "caller-not-found")
    bad = await hotline.agent.post("/callers/lookup", json={"number": "abc"})
    assert (bad.status_code, bad.json()["code"]) == (422, "number-invalid")


async def test_each_showing_leaves_its_own_audit_row_and_no_stored_answer(hotline: Any) -> None:
    caller = (await hotline.ticket())["caller_id"]
    for reason in ("回访", "核对地址"):
        shown = await hotline.agent.post(f"/callers/{caller}/reveal", json={"reason": reason})
        assert shown.json() == {"id": caller, "number": "13800001234", "name": "张小明"}
        assert shown.headers["cache-control"] == "no-store"

    rows = await _audit(hotline)
    assert [(row.action, row.object, row.reason, row.actor_id) for row in rows] == [
        ("caller.reveal", f"caller:{caller}", "回访", "agent-1"),
        ("caller.reveal", f"caller:{caller}", "核对地址", "agent-1"),
    ]
    without = await hotline.agent.post(f"/callers/{caller}/reveal", json={})
    assert (without.status_code, without.json()["code"]) == (422, "invalid-input")
    assert len(await _audit(hotline)) == 2


async def test_nobody_outside_the_hotline_sees_callers(hotline: Any) -> None:
    caller = (await hotline.ticket())["caller_id"]
    others = (Role.HANDLER, Role.UNIT_LEAD, Role.DISPATCHER, Role.LEADER, Role.PBX, Role.SUPERVISOR)
    for role in others:
        async with hotline.sut.client(role, unit="620103-cgj") as client:
            reveal = await client.post(f"/callers/{caller}/reveal", json={"reason": "想看"})
            assert reveal.status_code == 403
            assert (await client.get(f"/callers/{caller}")).status_code == 403
            look = await client.post("/callers/lookup", json={"number": "13800001234"})
            assert look.status_code == 403
    async with hotline.sut.client() as nobody:
        assert (await nobody.get(f"/callers/{caller}")).status_code == 401
    assert await _audit(hotline) == []


async def test_a_forgotten_caller_is_nobody_while_the_ticket_stays(hotline: Any) -> None:
    ticket = await hotline.ticket()
    path = f"/callers/{ticket['caller_id']}/erasure"
    assert (await hotline.agent.post(path, json={"reason": "本人要求"})).status_code == 403
    gone = await hotline.leader.post(path, json={"reason": "本人要求"})

    assert (gone.json()["number"], gone.json()["name"], gone.json()["erased"]) == (None, None, True)
    assert (await hotline.leader.post(path, json={"reason": "再次"})).status_code == 200
    assert (await hotline.read(ticket))["number"] == ticket["number"]
    fresh = await hotline.ticket()
    assert fresh["caller_id"] != ticket["caller_id"]
    missing = await hotline.leader.post(f"/callers/{uuid4()}/erasure", json={"reason": "x"})
    assert missing.json()["code"] == "caller-not-found"


async def test_a_number_sealed_with_a_lost_key_does_not_break_the_list(hotline: Any) -> None:
    ticket = await hotline.ticket()
    async with hotline.sut.runtime.database.transaction() as session:
        await session.exec(sa.text("UPDATE callers SET number_sealed = name_sealed"))

    assert (await hotline.read(ticket))["caller"]["number"] is None
    path = f"/callers/{ticket['caller_id']}/reveal"
    shown = await hotline.agent.post(path, json={"reason": "回访"})
    assert (shown.status_code, shown.json()["code"]) == (500, "personal-data-unreadable")


async def test_an_installation_on_sqlite_makes_its_own_key_once(
    sqlite_url: str, qilihe: CityPack, tmp_path: Path
) -> None:
    keys = set()
    for _ in range(2):
        settings = HotlineSettings(database_url=sqlite_url)  # type: ignore[arg-type]
        async with service_under_test(
            service, database_url=sqlite_url, pack=qilihe, folder=tmp_path, settings=settings
        ):
            keys.add(_key_in(tmp_path))

    assert len(keys) == 1
    assert _modes(tmp_path) == {"hotline-personal-data.key": 0o600}


@pytest.mark.postgres
async def test_an_installation_on_postgresql_is_refused_without_a_key(
    postgres_url: str, qilihe: CityPack, tmp_path: Path
) -> None:
    settings = HotlineSettings(
        database_url=postgres_url,  # type: ignore[arg-type]
        personal_data_key="A" * 43 + "=",  # type: ignore[arg-type]
    )
    async with service_under_test(
        service, database_url=postgres_url, pack=qilihe, folder=tmp_path, settings=settings
    ) as driven:
        del driven.runtime.extras["seal"]
        driven.runtime.settings = settings.model_copy(update={"personal_data_key": None})
        with pytest.raises(PersonalDataKeyMissing, match="MINQING_HOTLINE_PERSONAL_DATA_KEY"):
            await prepare(driven.runtime)
