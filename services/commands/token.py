"""`minqing token`: an access token for scripts, by a person's password or a system's secret."""

import os
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer

from shared.errors import InvalidInput, MinqingError, Unavailable

app = typer.Typer()

IDENTITY_PATH = "/api/identity/v1"
PASSWORD = "MINQING_PASSWORD"  # noqa: S105 - the name of a variable
TIMEOUT_SECONDS = 15
EXIT_REFUSED = 2


class TokenNotGiven(InvalidInput):
    """Identity refused; the message is its own."""

    code = "token-not-given"


@app.callback(invoke_without_command=True)
def token(
    *,
    url: Annotated[
        str,
        typer.Option(
            envvar="MINQING_IDENTITY_URL", help="Address of the suite, or of identity's API."
        ),
    ] = "http://127.0.0.1:8311",
    login: Annotated[str | None, typer.Option(help="Account of a person.")] = None,
    code: Annotated[
        str | None, typer.Option(help="Code of the authenticator, if the account has one.")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(envvar="MINQING_CLIENT_ID", help="Id of a system.")
    ] = None,
    client_secret: Annotated[
        str | None,
        typer.Option(
            envvar="MINQING_CLIENT_SECRET", help="Its secret; better given by the variable."
        ),
    ] = None,
    scope: Annotated[
        str | None, typer.Option(help="Scopes to narrow the token to, with spaces between.")
    ] = None,
) -> None:
    """Print an access token, for `Authorization: Bearer …`.

    A person gives --login; the password comes from MINQING_PASSWORD or is asked for. A system gives
    --client-id and its secret. Exit code 2 when identity refuses or does not answer.
    """
    try:
        typer.echo(
            _token(
                url=url,
                login=login,
                code=code,
                client_id=client_id,
                client_secret=client_secret,
                scope=scope,
            )
        )
    except MinqingError as error:
        typer.echo(f"{error.code}: {error.message}", err=True)
        raise typer.Exit(EXIT_REFUSED) from None


def _token(
    *,
    url: str,
    login: str | None,
    code: str | None,
    client_id: str | None,
    client_secret: str | None,
    scope: str | None,
) -> str:
    base = _identity(url)
    if login is not None:
        password = os.environ.get(PASSWORD) or typer.prompt("Password", hide_input=True, err=True)
        body = {"login": login, "password": password} | ({"code": code} if code else {})
        return _ask(f"{base}/sessions", json=body)
    if client_id is None:
        raise InvalidInput("Give --login, or --client-id and its secret.")
    secret = client_secret or typer.prompt("Client secret", hide_input=True, err=True)
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return _ask(f"{base}/oauth/token", data=form | ({"scope": scope} if scope else {}))


def _identity(url: str) -> str:
    """The address of identity's API: what was given, with the usual path when it has none."""
    plain = url.rstrip("/")
    return plain if urlsplit(plain).path else f"{plain}{IDENTITY_PATH}"


def _ask(url: str, **content: Any) -> str:
    try:
        answer = httpx.post(url, timeout=TIMEOUT_SECONDS, **content)
    except httpx.HTTPError as error:
        raise Unavailable(f"{url} does not answer: {error}") from error
    try:
        told = answer.json()
    except ValueError:
        told = {}
    if answer.is_success and "access_token" in told:
        if told.get("must"):
            typer.echo(f"note: do this first: {', '.join(told['must'])}", err=True)
        return str(told["access_token"])
    raise TokenNotGiven(str(told.get("detail") or f"{url} answered {answer.status_code}."))
