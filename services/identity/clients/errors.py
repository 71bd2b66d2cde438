"""What can be wrong with clients and their requests; `error` is the name RFC 6749 gives it."""

from typing import ClassVar

from shared.errors import Conflict, InvalidInput, MinqingError


class OAuthRefused(MinqingError):
    """A refusal of the token endpoint."""

    status = 400
    error: ClassVar[str] = "invalid_request"


class ClientRefused(OAuthRefused):
    """One answer for an unknown client, a wrong secret and a closed client."""

    code = "client-refused"
    status = 401
    title = "The client is not known by this"
    error = "invalid_client"


class GrantNotSupported(OAuthRefused):
    code = "grant-not-supported"
    title = "Only client_credentials is supported"
    error = "unsupported_grant_type"


class ScopeRefused(OAuthRefused):
    code = "scope-refused"
    title = "The client may not have this scope"
    error = "invalid_scope"


class RequestIncomplete(OAuthRefused):
    code = "token-request-incomplete"
    title = "The request for a token is not complete"


class ClientExists(Conflict):
    code = "client-exists"


class ClientClosed(Conflict):
    code = "client-closed"


class KeyUnusable(InvalidInput):
    code = "client-key-unusable"
    title = "This public key cannot be used"
