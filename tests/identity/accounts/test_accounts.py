"""Keeping accounts: who may, which roles go together, what others are told."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.accounts.domain import check_roles
from services.identity.accounts.errors import AdministratorsNotSeparated, RoleNotForPeople
from shared.events.identity import AccountChanged
from shared.pack.model import ADMINISTRATORS, SYSTEM_ROLES
from shared.vocabulary import Role
from shared.vocabulary import Role as TokenRole

NEW = {
    "login": "dispatcher05",
    "name_zh": "新派遣员",
    "name_en": "New Dispatcher",
    "roles": ["dispatcher"],
    "unit": "centre",
}


def test_roles_in_tokens_and_in_packs_are_the_same_words() -> None:
    assert {role.value for role in Role} == {role.value for role in TokenRole}


@given(st.sets(st.sampled_from(Role), min_size=1))
def test_one_account_holds_at_most_one_administration_and_no_system_role(roles: set[Role]) -> None:
    two = any({a, b} <= roles for a, b in combinations(ADMINISTRATORS, 2))
    if two:
        with pytest.raises(AdministratorsNotSeparated):
            check_roles(roles)
    elif roles & SYSTEM_ROLES:
        with pytest.raises(RoleNotForPeople):
            check_roles(roles)
    else:
        assert set(check_roles(roles)) == roles


async def test_a_new_account_is_told_and_cannot_sign_in_yet(town: Any) -> None:
    async with town.administrator(TokenRole.SYSTEM_ADMINISTRATOR) as client:
        answer = await client.post("/accounts", json=NEW)

        assert answer.status_code == 201, answer.text
        assert answer.json()["id"] == str(town.id_of("dispatcher05"))
        assert answer.headers["etag"] == '"1"'
        again = await client.post("/accounts", json=NEW)
        assert (again.status_code, again.json()["code"]) == (409, "account-exists")
        fetched = await client.get(f"/accounts/{answer.json()['id']}")
        assert fetched.json() == answer.json()
    told = (await town.sut.told(AccountChanged))[-1]
    assert told.data == {
        "login": "dispatcher05",
        "roles": ["dispatcher"],
        "unit": "centre",
        "active": True,
        "tokens_valid_after": None,
    }
    assert (await town.sign_in("dispatcher05")).status_code == 401


async def test_the_same_key_makes_one_account(town: Any) -> None:
    async with town.administrator(TokenRole.SYSTEM_ADMINISTRATOR) as client:
        headers = {"Idempotency-Key": "make-one"}
        first = await client.post("/accounts", json=NEW, headers=headers)
        second = await client.post("/accounts", json=NEW, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotent-replay"] == "true"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            {"roles": ["system-administrator", "audit-administrator"]},
            "administrators-not-separated",
        ),
        ({"roles": ["partner"]}, "role-not-for-people"),
        ({"roles": ["king"]}, "invalid-input"),
        ({"roles": []}, "invalid-input"),
        ({"login": "Has Space"}, "invalid-input"),
        ({"unit": "no-such-unit"}, "organisation-unknown"),
        ({"name_zh": "a\x00b"}, "invalid-input"),
        ({"active": True}, "invalid-input"),
    ],
)
async def test_a_faulty_account_is_refused(town: Any, change: dict[str, Any], code: str) -> None:
    async with town.administrator(TokenRole.SYSTEM_ADMINISTRATOR) as client:
        answer = await client.post("/accounts", json=NEW | change)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await town.rows("accounts", login="dispatcher05") == []


async def test_close_and_reopen_say_what_is_allowed(town: Any) -> None:
    path = f"/accounts/{town.id_of('agent01')}"
    async with town.administrator(TokenRole.SYSTEM_ADMINISTRATOR) as client:
        closed = await client.post(f"{path}/closing", json={"reason": "left"})
        assert closed.json()["active"] is False
        twice = await client.post(f"{path}/closing", json={"reason": "left"})
        assert (twice.status_code, twice.json()["allowed"]) == (409, ["reopening"])
        stale = await client.post(
            f"{path}/reopening", json={"reason": "back"}, headers={"If-Match": '"1"'}
        )
        assert stale.status_code == 412
        opened = await client.post(f"{path}/reopening", json={"reason": "back"})
        assert opened.json()["active"] is True
        journal = (await client.get(f"{path}/journal")).json()
    assert [(line["action"], line["reason"]) for line in journal] == [
        ("take-over", None),
        ("close", "left"),
        ("reopen", "back"),
    ]
    assert (await town.sign_in("agent01")).status_code == 201


async def test_administrators_do_not_decide_about_themselves(town: Any) -> None:
    own = str(town.id_of("admin.system"))
    async with town.administrator(TokenRole.SYSTEM_ADMINISTRATOR, subject=own) as client:
        closing = await client.post(f"/accounts/{own}/closing", json={"reason": "x"})
        roles = await client.patch(f"/accounts/{own}", json={"roles": ["security-administrator"]})
    security = str(town.id_of("admin.security"))
    async with town.administrator(TokenRole.SECURITY_ADMINISTRATOR, subject=security) as client:
        code = await client.post(f"/accounts/{security}/one-time-code")
        unlock = await client.post(f"/accounts/{security}/unlocking")
    for answer in (closing, roles, code, unlock):
        assert (answer.status_code, answer.json()["code"]) == (403, "own-account")


ADMINISTRATION = [
    ("GET", "/accounts", {"system", "security", "audit"}),
    ("GET", "/accounts/{id}", {"system", "security", "audit"}),
    ("GET", "/accounts/{id}/journal", {"system", "security", "audit"}),
    ("POST", "/accounts", {"system"}),
    ("PATCH", "/accounts/{id}", {"system"}),
    ("POST", "/accounts/{id}/closing", {"system"}),
    ("POST", "/accounts/{id}/reopening", {"system"}),
    ("POST", "/accounts/{id}/one-time-code", {"security"}),
    ("POST", "/accounts/{id}/unlocking", {"security"}),
    ("DELETE", "/accounts/{id}/second-factor", {"security"}),
    ("POST", "/organisations", {"system"}),
    ("PATCH", "/organisations/cgj", {"system"}),
    ("GET", "/clients", {"system", "security", "audit"}),
    ("POST", "/clients", {"system"}),
    ("POST", "/clients/pbx/closing", {"system"}),
    ("POST", "/clients/pbx/secret", {"security"}),
    ("PUT", "/clients/pbx/key", {"security"}),
    ("GET", "/keys", {"security", "audit"}),
    ("POST", "/keys", {"security"}),
]


async def test_the_three_administrations_are_separated_and_nobody_else_gets_in(town: Any) -> None:
    target = str(town.id_of("agent01"))
    for role in TokenRole:
        kind = role.value.removesuffix("-administrator")
        async with town.sut.client(role) as client:
            for method, path, allowed in ADMINISTRATION:
                answer = await client.request(method, path.replace("{id}", target), json={})
                refused = answer.status_code == 403
                assert refused == (kind not in allowed), (role, method, path, answer.text)
    async with town.anonymous() as client:
        for method, path, _allowed in ADMINISTRATION:
            answer = await client.request(method, path.replace("{id}", target), json={})
            assert answer.status_code == 401


async def test_accounts_are_listed_by_login_in_pages(town: Any) -> None:
    async with town.administrator(TokenRole.AUDIT_ADMINISTRATOR) as client:
        first = (await client.get("/accounts", params={"limit": 3})).json()
        query = {"limit": 3, "cursor": first["next_cursor"]}
        second = (await client.get("/accounts", params=query)).json()
        field = (await client.get("/accounts", params={"unit": "leading-group"})).json()
        closed = (await client.get("/accounts", params={"active": False})).json()
    logins = [row["login"] for row in first["items"] + second["items"]]
    assert logins == sorted(set(logins))
    assert len(logins) == 6
    assert {row["login"] for row in field["items"]} == {"leader01", "leader02"}
    assert closed["items"] == []
