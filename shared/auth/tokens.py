"""Access tokens: signed by identity with EdDSA, checked by every service on its own."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Protocol

import httpx
import jwt

from shared.auth.principal import Principal
from shared.errors import MinqingError, Unavailable
from shared.vocabulary import Role

ISSUER = "minqing-identity"
AUDIENCE = "minqing"
ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, no secret
LEEWAY_SECONDS = 30
_CACHE_SIZE = 10_000


class TokenRefused(MinqingError):
    """There is no valid token: missing, expired, forged, or its session has ended."""

    code = "not-signed-in"
    status = 401
    title = "Sign in first"


class IdentityUnavailable(Unavailable):
    """The signing keys cannot be fetched right now."""

    code = "identity-unavailable"


class KeySource(Protocol):
    """Where the public keys of identity come from."""

    async def key(self, key_id: str) -> Any | None:
        """The public key of this id, or None when identity has no such key."""


class StaticKeys:
    """Keys that are at hand: the services of one process, tests, and scripts."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        self._keys = keys

    async def key(self, key_id: str) -> Any | None:
        return self._keys.get(key_id)


class RemoteKeys:
    """Keys published by identity over HTTP, fetched again when an unknown id turns up.

    Unknown ids cause at most one request in `minimum_seconds`, so that forged tokens cannot make us
    flood identity. Known keys are asked for again after `longest_seconds`, so that a key that was
    withdrawn stops counting; while identity is away the known ones go on.
    """

    def __init__(
        self, identity_url: str, *, minimum_seconds: float = 5, longest_seconds: float = 60
    ) -> None:
        self._longest_seconds = longest_seconds
        self._url = f"{identity_url.rstrip('/')}/jwks.json"
        self._minimum_seconds = minimum_seconds
        self._keys: dict[str, Any] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> Any | None:
        if key_id in self._keys and self._age() < self._longest_seconds:
            return self._keys[key_id]
        async with self._lock:
            if self._age() >= self._minimum_seconds:
                try:
                    await self._fetch()
                except httpx.HTTPError:
                    if key_id not in self._keys:
                        raise
        return self._keys.get(key_id)

    def _age(self) -> float:
        return time.monotonic() - self._fetched_at

    async def _fetch(self) -> None:
        self._fetched_at = time.monotonic()
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(self._url)
            answer.raise_for_status()
        self._keys = {
            key.key_id: key.key for key in jwt.PyJWKSet.from_dict(answer.json()).keys if key.key_id
        }


class TokenVerifier:
    """Checks tokens and remembers the good ones until they expire.

    Args:
        keys: the public keys of identity.
        ended: tells whether a session has been ended or an account closed since; asked on every
            request, so it must answer from memory.
    """

    def __init__(self, keys: KeySource, *, ended: "EndedSessions | None" = None) -> None:
        self._keys = keys
        self.ended = ended or EndedSessions()
        self._good: OrderedDict[str, tuple[float, float, Principal]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """The principal that `token` stands for.

        Raises:
            TokenRefused: with the one reason that the caller can do something about.
        """
        known = self._good.get(token)
        if known is None:
            known = await self._decode(token)
            self._good[token] = known
            while len(self._good) > _CACHE_SIZE:
                self._good.popitem(last=False)
        issued_at, expires_at, principal = known
        if time.time() > expires_at + LEEWAY_SECONDS:
            self._good.pop(token, None)
            raise TokenRefused("The token has expired: refresh it or sign in again.")
        if self.ended.covers(principal, issued_at):
            raise TokenRefused("This session was ended: sign in again.")
        return principal

    async def _decode(self, token: str) -> tuple[float, float, Principal]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE:
                raise TokenRefused("This is no access token of this suite.")
            key = await self._keys.key(str(header.get("kid", "")))
            if key is None:
                raise TokenRefused("The token is signed by a key that identity does not publish.")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.InvalidTokenError as error:
            raise TokenRefused("The token is not valid: sign in again.") from error
        except httpx.HTTPError as error:
            raise IdentityUnavailable(
                "Identity does not answer, so the token cannot be checked; try again soon."
            ) from error
        return float(claims["iat"]), float(claims["exp"]), _principal(claims)


class EndedSessions:
    """Sessions and accounts whose tokens no longer count, although they have not expired yet.

    Filled from identity's events; entries are dropped once every token they could cover has
    expired.
    """

    def __init__(self, *, keep_seconds: float = 3_600) -> None:
        self._keep_seconds = keep_seconds
        self._ended: dict[str, float] = {}

    def end(self, session_or_account: str, *, at: float) -> None:
        """Refuse tokens of this session or account issued before `at` (seconds since the epoch)."""
        self._ended[session_or_account] = max(at, self._ended.get(session_or_account, at))
        horizon = time.time() - self._keep_seconds
        for name in [name for name, when in self._ended.items() if when < horizon]:
            del self._ended[name]

    def covers(self, principal: Principal, issued_at: float) -> bool:
        if not self._ended:
            return False
        return any(
            name is not None and issued_at <= self._ended.get(name, float("-inf"))
            for name in (principal.session, principal.id)
        )


def _principal(claims: Mapping[str, Any]) -> Principal:
    known = set(Role)
    return Principal(
        id=str(claims["sub"]),
        roles=frozenset(Role(role) for role in claims.get("roles", ()) if role in known),
        unit=claims.get("unit"),
        login=claims.get("login"),
        session=claims.get("sid"),
    )
