"""Speaks with the services as their users do: signed in, patient, never twice with another key."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import httpx

from services.replay.errors import Refused, ServiceSilent, SignInRefused
from shared.errors import InvalidInput

SERVICES = ("identity", "hotline", "intake", "dispatch", "assessment")
NAMESPACE = UUID("b1e7c2de-7f0f-5d3b-9a54-0f3d0a6f5c11")

PAGE = 200
TIMEOUT_SECONDS = 60
ATTEMPTS = 12
LONGEST_PAUSE_SECONDS = 10.0
_PASSING = frozenset({429, 500, 502, 503, 504})
_SIGNED_OUT = 401
_CONFLICT = 409
_STALE = frozenset({"stale", "version-changed"})
_QUOTA = "too-many-requests"

Json = dict[str, Any]


def origins(given: list[str]) -> dict[str, str]:
    """The address of each service's API.

    Args:
        given: one address for all, `SERVICE=ADDRESS` for single ones. Without a path of its own an
            address means `/api/<service>/v1` below it.

    Raises:
        InvalidInput: a service has no address, or one is named that there is not.
    """
    found: dict[str, str] = {}
    general = None
    for text in given:
        name, separator, url = text.partition("=")
        if not separator or "/" in name:
            general = text
        elif name in SERVICES:
            found[name] = url
        else:
            raise InvalidInput(f"There is no service {name}; there are {', '.join(SERVICES)}.")
    for name in SERVICES:
        if name not in found and general is None:
            raise InvalidInput(f"Say where {name} is: --api URL or --api {name}=URL.")
        found.setdefault(name, general or "")
    return {name: _api_root(name, url) for name, url in found.items()}


def _api_root(service: str, url: str) -> str:
    plain = url.rstrip("/")
    return plain if urlsplit(plain).path else f"{plain}/api/{service}/v1"


@dataclass
class Traffic:
    """How many requests were sent, by answer; `retried` counts those sent again."""

    requests: int = 0
    retried: int = 0
    by_status: Counter[int] = field(default_factory=Counter)


class City:
    """Everybody's connection to the suite; `person` gives the one of an account.

    Attributes:
        story: what all keys of this replay are derived from.
    """

    def __init__(
        self, http: httpx.AsyncClient, roots: Mapping[str, str], password: str, story: str
    ) -> None:
        self.http = http
        self.roots = roots
        self.password = password
        self.story = story
        self.traffic = Traffic()
        self.public = Caller(self, None)
        self._people: dict[str, Caller] = {}

    def person(self, login: str) -> "Caller":
        """The one who acts under an account of the city pack."""
        if login not in self._people:
            self._people[login] = Caller(self, login)
        return self._people[login]

    def key(self, *parts: object) -> str:
        """The id of a step of this replay, the same in every run: also the one of a client."""
        return str(uuid5(NAMESPACE, "|".join([self.story, *map(str, parts)])))


@asynccontextmanager
async def city_at(
    roots: Mapping[str, str], password: str, story: str, *, connections: int
) -> AsyncIterator[City]:
    """Connections to all services, closed in the end."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    timeout = httpx.Timeout(TIMEOUT_SECONDS, pool=None)
    async with httpx.AsyncClient(limits=limits, timeout=timeout) as http:
        yield City(http, roots, password, story)


class Caller:
    """One person at the API, or the public where there is no account."""

    def __init__(self, city: City, login: str | None) -> None:
        self._city = city
        self._login = login
        self._token: str | None = None
        self._signing_in = asyncio.Lock()

    @property
    def login(self) -> str:
        return self._login or ""

    async def get(self, service: str, path: str, **query: Any) -> Json:
        """One answer; `query` values that are None are left out."""
        wanted = {name: value for name, value in query.items() if value is not None}
        answer = await self._ask("GET", service, path, params=wanted)
        found: Json = answer.json()
        return found

    async def pages(self, service: str, path: str, **query: Any) -> AsyncIterator[list[Json]]:
        """A list page by page to its end."""
        cursor: str | None = None
        while True:
            page = await self.get(service, path, limit=PAGE, cursor=cursor, **query)
            yield page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def post(
        self, service: str, path: str, body: Json | None, *, step: tuple[object, ...] = ()
    ) -> Json:
        """Send a command.

        Args:
            service: whose API.
            path: below its root.
            body: JSON; None sends none.
            step: names the command in this replay; its Idempotency-Key is derived from it.

        Raises:
            Refused: the service does not take it.
        """
        headers = {"Idempotency-Key": self._city.key(*step)} if step else {}
        content: Json = {} if body is None else {"json": body}
        answer = await self._ask("POST", service, path, headers=headers, **content)
        found: Json = answer.json()
        return found

    async def upload(self, photograph: bytes) -> str:
        """Store a photograph and give its content address."""
        headers = {"Content-Type": "image/jpeg"}
        answer = await self._ask("POST", "intake", "/media", headers=headers, content=photograph)
        return str(answer.json()["sha256"])

    async def _ask(self, method: str, service: str, path: str, **content: Any) -> httpx.Response:
        """Send until there is an answer that counts.

        Raises:
            Refused: it is a refusal.
            ServiceSilent: there was none after all attempts.
        """
        headers = content.pop("headers", {})
        unanswered, trouble = False, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._city.traffic.retried += 1
                await asyncio.sleep(_pause(attempt))
            token = await self._signed_in() if self._login else None
            own = headers | ({"Authorization": f"Bearer {token}"} if token else {})
            try:
                answer = await self._send(method, self._city.roots[service] + path, own, content)
            except httpx.TransportError as error:
                unanswered, trouble = True, repr(error)
                continue
            if answer.is_success:
                return answer
            if answer.status_code == _SIGNED_OUT and self._login:
                await self._sign_out(token)
                trouble = "signed out"
            elif not _is_passing(answer):
                raise _refusal(answer, service, path, sent_before=unanswered)
            else:
                trouble = f"{answer.status_code} {_problem(answer).get('code', '')}"
        raise ServiceSilent(f"{service} did not take {method} {path}: {trouble}.")

    async def _send(
        self, method: str, url: str, headers: dict[str, str], content: Json
    ) -> httpx.Response:
        answer = await self._city.http.request(method, url, headers=headers, **content)
        self._city.traffic.requests += 1
        self._city.traffic.by_status[answer.status_code] += 1
        return answer

    async def _signed_in(self) -> str:
        async with self._signing_in:
            if self._token is None:
                self._token = await self._new_token()
            return self._token

    async def _sign_out(self, token: str | None) -> None:
        async with self._signing_in:
            if self._token == token:
                self._token = None

    async def _new_token(self) -> str:
        body = {"login": self._login, "password": self._city.password}
        try:
            # The public signs in; what it then is, it is by its token.
            answer = await self._city.public.post("identity", "/sessions", body)
        except Refused as refused:
            raise SignInRefused(f"{self._login} cannot sign in: {refused.message}") from refused
        return str(answer["access_token"])


def _pause(attempt: int) -> float:
    """Seconds before an attempt: doubled each time, spread so that callers do not come together."""
    longest: float = min(LONGEST_PAUSE_SECONDS, 0.05 * 2**attempt)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def _is_passing(answer: httpx.Response) -> bool:
    if answer.status_code == _CONFLICT:
        return _problem(answer).get("code") in _STALE
    if answer.status_code == 429:  # noqa: PLR2004 - too many requests
        # A quota that an hour has to refill is no reason to wait at the door.
        return _problem(answer).get("code") != _QUOTA
    return answer.status_code in _PASSING


def _refusal(answer: httpx.Response, service: str, path: str, *, sent_before: bool) -> Refused:
    told = _problem(answer)
    faults = "".join(
        f" {one.get('where')}: {one.get('message')}." for one in told.get("faults", ())
    )
    return Refused(
        f"{service}{path} answered {answer.status_code}: {told.get('detail', '')}{faults}",
        answer=answer.status_code,
        reason=str(told.get("code") or f"http-{answer.status_code}"),
        sent_before=sent_before,
    )


def _problem(answer: httpx.Response) -> Json:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
