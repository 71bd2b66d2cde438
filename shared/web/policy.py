"""Who may call a route: declared on the route, refused unless granted."""

from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request

from shared.auth.principal import Principal
from shared.errors import Forbidden
from shared.vocabulary import Role
from shared.web.route import PrincipalDep
from shared.work import Actor, UnitOfWork

log = structlog.get_logger()

POLICY = "minqing_policy"


def requires(*roles: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency that lets only these roles through and records under which one it was done."""

    async def check(request: Request, principal: PrincipalDep) -> Principal:
        role = principal.acting_as(*roles)
        if role is None:
            log.warning("policy.denied", principal=principal.id, path=request.url.path)
            allowed = ", ".join(sorted(roles))
            raise Forbidden(f"This needs one of these roles: {allowed}.")
        work: UnitOfWork | None = getattr(request.state, "work", None)
        if work is not None:
            work.actor = Actor(id=principal.id, role=role, unit=principal.unit)
        return principal

    setattr(check, POLICY, frozenset(roles))
    return check


def signed_in() -> Callable[..., Awaitable[Principal]]:
    """A dependency that lets every signed-in person and system through."""
    return requires(*Role)


async def anyone() -> None:
    """Marks a route as open to the public on purpose."""


setattr(anyone, POLICY, frozenset())
