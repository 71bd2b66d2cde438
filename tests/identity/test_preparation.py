"""Taking the city pack over: once, only what changed again, nothing of administrators undone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from services.identity.organisations.domain import organisation_id
from services.identity.preparation import prepare, sweep
from shared.events.identity import AccountChanged, OrganisationChanged
from shared.vocabulary import Role
from shared.vocabulary import Role as PackRole
from shared.web.policy import POLICY


async def test_everything_of_the_pack_is_there_and_told_once(town: Any) -> None:
    pack = town.sut.runtime.pack
    accounts = await town.sut.told(AccountChanged)
    organisations = await town.sut.told(OrganisationChanged)

    assert {event.data["login"] for event in accounts} == {
        *(person.login for person in pack.people),
        *(system.client_id for system in pack.systems),
    }
    assert {event.data["code"] for event in organisations} == set(pack.units)
    assert {event.sequence for event in accounts + organisations} == {1}


async def test_preparing_again_changes_and_tells_nothing(town: Any) -> None:
    names = ("accounts", "organisations", "clients", "credentials", "signing_keys", "outbox")
    before = [await town.rows(name) for name in names]
    await prepare(town.sut.runtime)
    await prepare(town.sut.runtime)
    assert [await town.rows(name) for name in names] == before


async def test_what_an_administrator_changed_stays(town: Any) -> None:
    path = f"/accounts/{town.id_of('agent01')}"
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        await client.patch(path, json={"roles": ["operator"]})
        await client.post(f"/accounts/{town.id_of('agent02')}/closing", json={"reason": "left"})
        await prepare(town.sut.runtime)
        assert (await client.get(path)).json()["roles"] == ["operator"]
    [closed] = await town.rows("accounts", login="agent02")
    assert closed.active is False


async def test_a_changed_line_of_the_pack_is_taken_over_and_told(town: Any) -> None:
    runtime = town.sut.runtime
    tokens = (await town.sign_in("agent01")).json()
    town.clock.advance(timedelta(seconds=1))
    people = tuple(
        replace(person, roles=frozenset({PackRole.SHIFT_LEADER}))
        if person.login == "agent01"
        else person
        for person in runtime.pack.people
    )
    runtime.pack = replace(runtime.pack, people=people)
    count = len(await town.sut.told())
    await prepare(runtime)

    [told] = (await town.sut.told())[count:]
    assert (told.sequence, told.data["roles"]) == (2, ["shift-leader"])
    assert (await town.refresh(tokens["refresh_token"])).status_code == 401


async def test_without_demonstration_nobody_has_a_password(town: Any) -> None:
    runtime = town.sut.runtime
    assert len(await town.rows("credentials")) == len(runtime.pack.people)
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        new = {"login": "fresh", "name_zh": "新", "name_en": "New", "roles": ["agent"]}
        await client.post("/accounts", json=new)
    await prepare(runtime)
    assert await town.rows("credentials", account_id=town.id_of("fresh")) == []


async def test_organisations_can_be_kept_by_hand(town: Any) -> None:
    new = {"code": "new-bureau", "name_zh": "新局", "name_en": "New", "kind": "bureau"}
    async with town.administrator(Role.SYSTEM_ADMINISTRATOR) as client:
        made = await client.post("/organisations", json=new)
        assert made.status_code == 201
        assert made.json()["id"] == str(
            organisation_id(town.sut.runtime.pack.city.code, "new-bureau")
        )
        assert (await client.post("/organisations", json=new)).status_code == 409
        closed = await client.patch("/organisations/new-bureau", json={"active": False})
        assert closed.json()["active"] is False
        assert (await client.patch("/organisations/none", json={})).status_code == 404
    async with town.sut.client(Role.HANDLER) as client:
        listed = await client.get("/organisations", params={"kind": "bureau", "active": False})
        assert [row["code"] for row in listed.json()["items"]] == ["new-bureau"]
        assert (await client.get("/organisations/none")).status_code == 404
    told = (await town.sut.told(OrganisationChanged))[-1]
    assert (told.sequence, told.data["active"]) == (2, False)


async def test_the_sweep_takes_old_sessions_counts_and_retired_keys(town: Any) -> None:
    await town.sign_in("agent01")
    await town.sign_in("agent01", "wrong")
    async with town.administrator(Role.SECURITY_ADMINISTRATOR) as client:
        await client.post("/keys")
    await sweep(town.sut.runtime)
    assert len(await town.rows("sessions")) == 1
    town.clock.advance(timedelta(days=4))
    await sweep(town.sut.runtime)
    for name in ("sessions", "refresh_tokens", "attempt_guards"):
        assert await town.rows(name) == []
    assert len(await town.rows("signing_keys")) == 1


async def test_every_route_says_who_may_call_it(town: Any) -> None:
    def policies(dependant: Any) -> bool:
        return hasattr(dependant.call, POLICY) or any(map(policies, dependant.dependencies))

    routes = list(iter_route_contexts(town.sut.app.routes))
    checked = 0
    for context in routes:
        dependant = getattr(getattr(context, "route", context), "dependant", None)
        if dependant is not None:
            checked += 1
            assert any(map(policies, dependant.dependencies)), context
    assert checked >= 30


@pytest.mark.parametrize("table", ["audit", "outbox", "journal", "idempotency", "credentials"])
async def test_no_password_is_found_in_any_table(town: Any, table: str) -> None:
    await town.sign_in("agent01")
    await town.sign_in("agent01", "Canary-Password-99")
    await town.sign_in("Canary-Password-99", "x")
    text = repr(await town.rows(table))
    assert "Lamp-Post-4711" not in text
    assert "canary-password-99" not in text.lower()
