"""Who somebody is, and what that allows: signed tokens, roles, and the policy on every route."""

from shared.auth.principal import Principal
from shared.auth.tokens import KeySource, RemoteKeys, StaticKeys, TokenRefused, TokenVerifier

__all__ = [
    "KeySource",
    "Principal",
    "RemoteKeys",
    "StaticKeys",
    "TokenRefused",
    "TokenVerifier",
]
