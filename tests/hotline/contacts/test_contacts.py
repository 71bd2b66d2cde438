"""Contacts of people on duty: entered by themselves or the administrator, sealed, shown masked."""

from typing import Any

import sqlalchemy as sa

from services.hotline.contacts.models import DutyContact
from services.hotline.contacts.service import take_over_people
from shared.events.identity import AccountChanged
from shared.vocabulary import Role

ACCOUNT = "0199aaaa-0000-7000-8000-000000000001"


async def contacts(hotline: Any) -> dict[str, Any]:
    listed = (await hotline.leader.get("/duty-contacts")).json()
    return {one["login"]: one for one in listed}


async def test_the_people_of_the_pack_are_known_and_what_was_entered_stays(hotline: Any) -> None:
    assert set(await contacts(hotline)) == {"shift01", "shift02", "leader01", "leader02"}
    async with hotline.sut.client(Role.LEADER, login="leader01") as leader:
        answer = await leader.post("/duty-contacts/me", json={"phone": "+86 138 0000 1111"})
    assert (answer.status_code, answer.json()["phone"]) == (200, "138****1111")
    await take_over_people(hotline.sut.runtime)
    assert (await contacts(hotline))["leader01"]["phone"] == "138****1111"


async def test_only_what_is_sent_changes_and_null_deletes(hotline: Any) -> None:
    async with hotline.sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        path = "/duty-contacts/shift01"
        await administrator.post(path, json={"phone": "13800001111", "email": "li@example.org"})
        await administrator.post(path, json={"phone": None})
        bad = await administrator.post(path, json={"email": "li@example.org, x@y.z"})
        assert (bad.status_code, bad.json()["code"]) == (422, "email-invalid")
        wrong = await administrator.post(path, json={"phone": "call me"})
        assert wrong.status_code == 422
        unknown = await administrator.post("/duty-contacts/agent01", json={"phone": "13800001111"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "contact-unknown")
    shown = (await contacts(hotline))["shift01"]
    assert (shown["phone"], shown["email"]) == (None, "l***@example.org")
    assert (await hotline.agent.get("/duty-contacts")).status_code == 403
    body = {"phone": "13800001111"}
    assert (await hotline.leader.post("/duty-contacts/shift01", json=body)).status_code == 403


async def test_addresses_are_sealed_in_the_database(hotline: Any) -> None:
    async with hotline.sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        body = {"phone": "13800001111", "email": "li@example.org"}
        await administrator.post("/duty-contacts/shift01", json=body)
    async with hotline.sut.runtime.database.reading() as session:
        rows = (await session.exec(sa.select(DutyContact.__table__))).all()
        kept = (await session.exec(sa.select(hotline.sut.runtime.tables.audit))).all()
    assert "13800001111" not in repr(rows)
    assert "example.org" not in repr(rows)
    assert [row.action for row in kept] == ["enter-contact"]


async def test_a_new_leader_is_known_from_identity_and_others_are_not(hotline: Any) -> None:
    for login, role in (("leader99", "leader"), ("operator99", "operator")):
        event = AccountChanged(login=login, roles=(role,), active=True)
        await hotline.sut.deliver(
            event, subject=ACCOUNT if role == "leader" else ACCOUNT[:-1] + "2"
        )
    known = await contacts(hotline)
    assert known["leader99"]["roles"] == ["leader"]
    assert "operator99" not in known
