"""Clients over HTTP, and the token endpoint of OAuth 2.0."""

import base64
import binascii
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Form, Request, Response

from services.identity.accounts.schemas import Reasoned
from services.identity.clients.auth import ClientKeeper, ClientReader, SecretKeeper
from services.identity.clients.errors import (
    ClientRefused,
    GrantNotSupported,
    OAuthRefused,
    RequestIncomplete,
)
from services.identity.clients.models import Client
from services.identity.clients.repository import client_by_name, page_of_clients
from services.identity.clients.schemas import (
    ClientCreate,
    ClientKey,
    ClientName,
    ClientToken,
    ClientView,
    NewSecret,
)
from services.identity.clients.service import ClientService
from services.identity.passwords.endpoints import refused
from shared.errors import MinqingError, NotFound
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.policy import anyone
from shared.web.route import (
    CommandRoute,
    KeylessCommandRoute,
    ReadSessionDep,
    RuntimeDep,
    WorkDep,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

router = APIRouter(prefix="/clients", tags=["clients"], route_class=CommandRoute)
tokens = APIRouter(tags=["clients"], route_class=KeylessCommandRoute)

FormText = Annotated[str | None, Form(max_length=300)]


@router.get("")
async def list_clients(
    session: ReadSessionDep,
    _reader: ClientReader,
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[ClientView]:
    """Other systems by their client id."""
    rows = await page_of_clients(session, page)
    return page_of(rows, page, lambda row: [row.client_id], _view)


@router.get("/{client_id}")
async def get_client(
    client_id: ClientName, session: ReadSessionDep, _reader: ClientReader, response: Response
) -> ClientView:
    """One system."""
    row = await client_by_name(session, client_id)
    if row is None:
        raise NotFound(f"There is no client {client_id}.")
    set_etag(response, row)
    return _view(row)


@router.post("", status_code=201)
async def create_client(
    command: ClientCreate,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: ClientKeeper,
    response: Response,
) -> ClientView:
    """Register a system; a security administrator then makes its secret."""
    row = await ClientService(work, runtime).create(**dict(command))
    response.headers["Location"] = f"clients/{row.client_id}"
    return await _changed(row, work, response)


@router.post("/{client_id}/closing")
async def close_client(
    *,
    client_id: ClientName,
    command: Reasoned,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: ClientKeeper,
    response: Response,
    if_match: IfMatch = None,
) -> ClientView:
    """Let the system sign in no more; its tokens end at once."""
    row = await ClientService(work, runtime).close(
        client_id=client_id, reason=command.reason, if_match=if_match
    )
    return await _changed(row, work, response)


@router.put("/{client_id}/key")
async def set_client_key(
    client_id: ClientName,
    command: ClientKey,
    work: WorkDep,
    runtime: RuntimeDep,
    _keeper: SecretKeeper,
    response: Response,
) -> ClientView:
    """Register the public key that the system signs its assertions with."""
    row = await ClientService(work, runtime).set_key(client_id=client_id, jwk=command.jwk)
    return await _changed(row, work, response)


@tokens.post("/clients/{client_id}/secret", status_code=201)
async def make_client_secret(
    client_id: ClientName, work: WorkDep, runtime: RuntimeDep, _keeper: SecretKeeper
) -> NewSecret:
    """Make a new secret. The one before works for a while, so that the system can change over.

    Sending this again makes another secret; the answer is not kept.
    """
    secret, until = await ClientService(work, runtime).new_secret(client_id)
    return NewSecret(client_id=client_id, client_secret=secret, older_until=until)


@tokens.post("/oauth/token", response_model=ClientToken, dependencies=[Depends(anyone)])
async def issue_client_token(
    *,
    work: WorkDep,
    runtime: RuntimeDep,
    request: Request,
    grant_type: Annotated[str, Form(max_length=60, examples=["client_credentials"])],
    scope: Annotated[str | None, Form(max_length=1_000)] = None,
    client_id: FormText = None,
    client_secret: FormText = None,
    client_assertion_type: FormText = None,
    client_assertion: Annotated[str | None, Form(max_length=4_000)] = None,
) -> ClientToken | Response:
    """A token for a system (RFC 6749, client credentials).

    It proves itself by HTTP Basic, by the form, or by an assertion signed with its key (RFC 7523)
    whose audience is `minqing-identity`.
    """
    service = ClientService(work, runtime)
    found: ClientToken | MinqingError
    if grant_type != "client_credentials":
        found = GrantNotSupported("Send grant_type=client_credentials.")
    elif client_assertion is not None:
        if client_assertion_type != ASSERTION_TYPE:
            found = RequestIncomplete(f"Send client_assertion_type={ASSERTION_TYPE}.")
        else:
            found = await service.token_by_assertion(assertion=client_assertion, scope=scope)
    else:
        known = _credentials(request, client_id, client_secret)
        found = (
            known
            if isinstance(known, OAuthRefused)
            else await service.token_by_secret(client_id=known[0], secret=known[1], scope=scope)
        )
    if not isinstance(found, MinqingError):
        return found
    if isinstance(found, OAuthRefused):
        found.extra |= {"error": found.error, "error_description": found.message}
    return refused(request, found, scheme="Basic")


def _credentials(
    request: Request, client_id: str | None, client_secret: str | None
) -> tuple[str, str] | OAuthRefused:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        if client_secret is not None:
            return RequestIncomplete("Send the secret in one way, not in two.")
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return ClientRefused("The Authorization header cannot be read.")
        name, _, secret = text.partition(":")
        return unquote_plus(name), unquote_plus(secret)
    if client_id is None or client_secret is None:
        return ClientRefused("Send client_id and client_secret, or an Authorization header.")
    return client_id, client_secret


async def _changed(row: Client, work: WorkDep, response: Response) -> ClientView:
    await work.settle()
    set_etag(response, row)
    return _view(row)


def _view(row: Client) -> ClientView:
    return ClientView(
        id=row.id,
        client_id=row.client_id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        roles=row.roles,
        scopes=row.scopes,
        unit=row.unit,
        active=row.active,
        has_key=row.public_key is not None,
        created_at=row.created_at,
        version=row.version,
    )
