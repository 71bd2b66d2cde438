"""Registering other systems, their secrets and keys, and giving them tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from services.identity.clients.domain import (
    client_row_id,
    granted_scopes,
    new_secret,
    roles_of,
    secret_digest,
)
from services.identity.clients.errors import (
    ClientClosed,
    ClientExists,
    ClientRefused,
    KeyUnusable,
    OAuthRefused,
    ScopeRefused,
)
from services.identity.clients.models import Client, ClientSecret, UsedAssertion
from services.identity.clients.repository import (
    all_clients,
    client_by_name,
    forget_expired,
    is_used,
    live_secrets,
)
from services.identity.clients.schemas import ClientToken
from services.identity.config import identity_settings
from services.identity.keys.service import issue_token
from services.identity.passwords.errors import TooManyFailures
from services.identity.passwords.service import Attempts
from shared.auth.tokens import ISSUER
from shared.errors import InvalidInput, NotFound
from shared.events.identity import AccountChanged
from shared.ids import uuid7
from shared.inbox.standing import end_standing
from shared.pack.model import SYSTEM_ROLES, SystemClient
from shared.service import Runtime
from shared.vocabulary import Role
from shared.web.etag import check_match
from shared.work import Actor, UnitOfWork

ASSERTION_ALGORITHMS = ["EdDSA", "ES256", "PS256"]
ASSERTION_LIFE = timedelta(minutes=5)
_LONGEST_JTI = 100
_FEWEST_RSA_BITS = 2_048


class ClientService:
    def __init__(self, work: UnitOfWork, runtime: Runtime) -> None:
        self._work = work
        self._runtime = runtime
        self._settings = identity_settings(runtime)
        self._city = runtime.pack.city.code

    async def take_over(self) -> None:
        """Bring the systems of the city pack in, without secrets; tells only what changed."""
        known = await all_clients(self._work.session)
        for system in self._runtime.pack.systems:
            entry = _fingerprint(system)
            row = known.get(system.client_id)
            if row is None:
                row = self._new(system.client_id)
                self._work.session.add(row)
            elif row.pack_entry == entry:
                continue
            row.name_zh, row.name_en = system.name.zh, system.name.en
            row.roles, row.scopes = sorted(system.roles), sorted(system.scopes)
            row.unit, row.pack_entry = system.unit or None, entry
            self._tell(row, "take-over")

    async def create(
        self,
        *,
        client_id: str,
        name_zh: str,
        name_en: str,
        roles: Iterable[Role],
        scopes: Iterable[str],
        unit: str | None,
    ) -> Client:
        if await client_by_name(self._work.session, client_id) is not None:
            raise ClientExists(f"There is a client {client_id} already.")
        if not set(roles) <= SYSTEM_ROLES:
            raise InvalidInput("Systems are partner or pbx; people have accounts.")
        row = self._new(client_id)
        row.name_zh, row.name_en, row.unit = name_zh, name_en, unit
        row.roles, row.scopes = sorted(set(roles)), sorted(set(scopes))
        self._work.session.add(row)
        self._tell(row, "create")
        return row

    async def close(self, *, client_id: str, reason: str, if_match: str | None) -> Client:
        """Let a system get no more tokens; those it has end."""
        row = await self._locked(client_id)
        check_match(row, if_match)
        if not row.active:
            raise ClientClosed("It is closed already.", state="closed", allowed=[])
        row.active, row.tokens_valid_after = False, self._work.now()
        await end_standing(self._work, self._runtime, str(row.id), row.tokens_valid_after)
        self._tell(row, "close", reason=reason)
        return row

    async def new_secret(self, client_id: str) -> tuple[str, datetime | None]:
        """A further secret; the one before works for a while yet, older ones end at once."""
        row = await self._locked(client_id)
        if not row.active:
            raise ClientClosed("It is closed.", state="closed", allowed=[])
        now = self._work.now()
        until = now + timedelta(hours=self._settings.client_secret_overlap_hours)
        before = await live_secrets(self._work.session, row.id, now)
        for place, old in enumerate(before):
            old.expires_at = min(old.expires_at or until, until) if place == 0 else now
        secret = new_secret()
        self._work.session.add(
            ClientSecret(id=uuid7(), client=row.id, digest=secret_digest(secret), created_at=now)
        )
        self._work.record(row, "new-secret")
        self._work.audit("new-client-secret", f"client:{client_id}")
        return secret, before[0].expires_at if before else None

    async def set_key(self, *, client_id: str, jwk: dict[str, Any]) -> Client:
        """Let a system prove itself by assertions signed with this key (RFC 7523)."""
        row = await self._locked(client_id)
        _usable_key(jwk)
        row.public_key = jwk
        self._work.record(row, "set-key")
        self._work.audit("set-client-key", f"client:{client_id}")
        return row

    async def token_by_secret(
        self, *, client_id: str, secret: str, scope: str | None
    ) -> ClientToken | OAuthRefused | TooManyFailures:
        """A token for a client that knows its secret; a refusal is returned, to be committed."""
        attempts = Attempts(self._work, self._settings, None)
        locked = await attempts.locked()
        if locked is not None:
            return locked
        row = await client_by_name(self._work.session, client_id, lock=True)
        digest = secret_digest(secret)
        live = (
            [] if row is None else await live_secrets(self._work.session, row.id, self._work.now())
        )
        # No early end: the time must not tell which secret it was.
        hits = sum(secrets.compare_digest(digest, one.digest) for one in live)
        if row is None or not row.active or not hits:
            await attempts.failed("client-token", None)
            return ClientRefused("Check client_id and client_secret.")
        return await self._token(row, scope)

    async def token_by_assertion(
        self, *, assertion: str, scope: str | None
    ) -> ClientToken | OAuthRefused | TooManyFailures:
        """A token for a client that signs with its key; each assertion is taken once."""
        attempts = Attempts(self._work, self._settings, None)
        locked = await attempts.locked()
        if locked is not None:
            return locked
        row = await self._proven(assertion)
        if row is None:
            await attempts.failed("client-token", None)
            return ClientRefused("Check key, audience, expiry (5 minutes at most) and jti.")
        return await self._token(row, scope)

    async def _proven(self, assertion: str) -> Client | None:
        """The client that an assertion proves, once."""
        try:
            name = jwt.decode(assertion, options={"verify_signature": False}).get("iss")
            row = await client_by_name(self._work.session, str(name), lock=True)
            if row is None or not row.active or row.public_key is None:
                return None
            key = _usable_key(row.public_key)
            claims = jwt.decode(
                assertion,
                key.key,
                algorithms=[key.algorithm_name],
                audience=ISSUER,
                issuer=name,
                subject=name,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except (jwt.PyJWTError, KeyUnusable):
            return None
        jti, expires_at = str(claims["jti"]), datetime.fromtimestamp(claims["exp"], UTC)
        if len(jti) > _LONGEST_JTI or expires_at > self._work.now() + ASSERTION_LIFE:
            return None
        if await is_used(self._work.session, row.id, jti):
            return None
        self._work.session.add(UsedAssertion(client=row.id, jti=jti, expires_at=expires_at))
        return row

    async def _token(self, row: Client, scope: str | None) -> ClientToken | OAuthRefused:
        scopes = granted_scopes(scope, row.scopes)
        if scopes is None:
            return ScopeRefused(f"{row.client_id} may have: {' '.join(sorted(row.scopes))}.")
        life = timedelta(minutes=self._settings.client_token_minutes)
        text = " ".join(scopes)
        token = await issue_token(
            self._runtime,
            subject=str(row.id),
            now=self._work.now(),
            life=life,
            roles=roles_of(scopes, row.roles),
            unit=row.unit,
            login=row.client_id,
            scope=text,
        )
        self._work.actor = Actor(id=str(row.id), unit=row.unit)
        self._work.audit("client-token", f"client:{row.client_id}")
        return ClientToken(access_token=token, expires_in=int(life.total_seconds()), scope=text)

    async def _locked(self, client_id: str) -> Client:
        row = await client_by_name(self._work.session, client_id, lock=True)
        if row is None:
            raise NotFound(f"There is no client {client_id}.")
        return row

    def _new(self, client_id: str) -> Client:
        return Client(
            id=client_row_id(self._city, client_id),
            client_id=client_id,
            name_zh="",
            name_en="",
            roles=[],
            scopes=[],
            created_at=self._work.now(),
        )

    def _tell(self, row: Client, action: str, *, reason: str | None = None) -> None:
        self._work.tell(
            row,
            AccountChanged(
                login=row.client_id,
                roles=tuple(row.roles),
                unit=row.unit,
                active=row.active,
                tokens_valid_after=row.tokens_valid_after,
            ),
        )
        state = "active" if row.active else "closed"
        self._work.record(row, action, to_state=state, reason=reason)
        self._work.audit(f"client-{action}", f"client:{row.client_id}", reason=reason)


async def forget_expired_proofs(runtime: Runtime) -> None:
    async with runtime.database.transaction() as session:
        await forget_expired(session, runtime.clock.now())


def _usable_key(jwk: dict[str, Any]) -> jwt.PyJWK:
    """A public key that assertions may be signed with.

    Raises:
        KeyUnusable: private, symmetric, too short or of another kind.
    """
    if not {"d", "k"}.isdisjoint(jwk):
        raise KeyUnusable("Send the public key alone; this one holds a secret part.")
    algorithm = {"OKP": "EdDSA", "EC": "ES256", "RSA": "PS256"}.get(str(jwk.get("kty")))
    if algorithm is None or (algorithm == "EdDSA" and jwk.get("crv") != "Ed25519"):
        raise KeyUnusable("Use Ed25519, P-256 or RSA.")
    try:
        key = jwt.PyJWK(jwk, algorithm)
    except (jwt.PyJWTError, ValueError) as error:
        raise KeyUnusable("This is no JSON Web Key that can be read.") from error
    if algorithm == "PS256" and key.key.key_size < _FEWEST_RSA_BITS:
        raise KeyUnusable(f"An RSA key needs {_FEWEST_RSA_BITS} bits or more.")
    return key


def _fingerprint(system: SystemClient) -> str:
    parts = [
        system.client_id,
        system.name.zh,
        system.name.en,
        *sorted(system.roles),
        *sorted(system.scopes),
        system.unit,
    ]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
