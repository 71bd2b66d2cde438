"""Manners at the API: patience, the same key, one sign-in."""

from collections.abc import Callable

import httpx
import pytest

from services.replay import api
from services.replay.api import City, origins
from services.replay.errors import Refused, ServiceSilent, SignInRefused
from shared.errors import InvalidInput

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "LONGEST_PAUSE_SECONDS", 0.0)


def city(answer: Handler) -> City:
    def with_sign_in(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/sessions"):
            return httpx.Response(201, json={"access_token": "token-1"})
        return answer(request)

    http = httpx.AsyncClient(transport=httpx.MockTransport(with_sign_in))
    return City(http, origins(["http://suite"]), "secret", "story")


def problem(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": "Do it otherwise."})


async def test_a_command_is_sent_again_with_the_same_key() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 1:
            raise httpx.ReadError("gone")
        if len(seen) == 2:
            return problem(503, "unavailable")
        if len(seen) == 3:
            return problem(409, "stale")
        return httpx.Response(200, json={"id": "1"})

    suite = city(answer)
    caller = suite.person("agent01")
    assert await caller.post("hotline", "/calls", {}, step=("1", "call")) == {"id": "1"}
    assert len({request.headers["idempotency-key"] for request in seen}) == 1
    assert str(seen[0].url) == "http://suite/api/hotline/v1/calls"
    assert suite.traffic.retried == 3


async def test_another_command_another_run_the_same_keys() -> None:
    one, other = city(lambda _: problem(500, "")), city(lambda _: problem(500, ""))
    assert one.key("1", "call") == other.key("1", "call")
    assert len({one.key("1", "call"), one.key("2", "call"), one.key("1", "ticket")}) == 3


async def test_a_refusal_is_told_at_once() -> None:
    suite = city(lambda _: problem(422, "place-missing"))
    with pytest.raises(Refused, match="Do it otherwise") as refused:
        await suite.person("agent01").post("intake", "/reports", {})
    assert (refused.value.answer, refused.value.reason) == (422, "place-missing")
    assert not refused.value.sent_before
    assert suite.traffic.retried == 0


@pytest.mark.parametrize(("status", "code"), [(409, "not-allowed-now"), (429, "too-many-requests")])
async def test_what_waiting_does_not_change_is_not_tried_again(status: int, code: str) -> None:
    suite = city(lambda _: problem(status, code))
    with pytest.raises(Refused):
        await suite.public.post("intake", "/public/reports", {})
    assert suite.traffic.requests == 1


async def test_an_expired_token_is_replaced() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return problem(401, "not-signed-in") if len(seen) == 1 else httpx.Response(200, json={})

    await city(answer).person("agent01").get("hotline", "/tickets")
    assert seen == ["Bearer token-1", "Bearer token-1"]


async def test_a_wrong_password_ends_everything() -> None:
    http = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: problem(401, "sign-in-refused"))
    )
    suite = City(http, origins(["http://suite"]), "secret", "story")
    with pytest.raises(SignInRefused, match="agent01 cannot sign in"):
        await suite.person("agent01").get("hotline", "/tickets")
    assert suite.traffic.requests == 1


async def test_a_silent_service_is_given_up_in_the_end() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    with pytest.raises(ServiceSilent, match="hotline did not take GET /tickets"):
        await city(answer).person("agent01").get("hotline", "/tickets")


async def test_a_list_is_read_to_its_end() -> None:
    pages = {
        None: {"items": [1, 2], "next_cursor": "b"},
        "b": {"items": [3], "next_cursor": None},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["state"] == "received"
        return httpx.Response(200, json=pages[request.url.params.get("cursor")])

    caller = city(answer).person("operator01")
    assert [page async for page in caller.pages("intake", "/reports", state="received")] == [
        [1, 2],
        [3],
    ]


def test_addresses_of_services() -> None:
    together = origins(["https://suite.example/"])
    assert together["intake"] == "https://suite.example/api/intake/v1"
    apart = origins(["http://suite", "intake=http://10.0.0.3:8002", "dispatch=http://d/api"])
    assert apart["intake"] == "http://10.0.0.3:8002/api/intake/v1"
    assert apart["dispatch"] == "http://d/api"
    assert apart["hotline"] == "http://suite/api/hotline/v1"
    with pytest.raises(InvalidInput, match="Say where identity is"):
        origins(["intake=http://intake"])
    with pytest.raises(InvalidInput, match="no service kitchen"):
        origins(["http://suite", "kitchen=http://k"])
