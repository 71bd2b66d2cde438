"""The roles of the people and systems that use the suite, and the one who is asking."""

from dataclasses import dataclass

from shared.vocabulary import Role

CENTRE = frozenset({Role.OPERATOR, Role.VIDEO_OPERATOR, Role.DISPATCHER, Role.SUPERVISOR})
"""The posts of the centre, who see every case of the city."""

UNIT = frozenset({Role.HANDLER, Role.UNIT_LEAD})
"""The people of a responsible unit, who see the cases of their own unit."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated person or system behind a request.

    Attributes:
        id: account id (UUID as text) or client id; opaque, safe to store and to publish.
        roles: everything this principal may act as.
        unit: code of the unit, company or system that the principal belongs to, if any.
        login: the account name in the pack; field tasks and grids name their owner by it.
        session: id of the sign-in, so that it can be ended.
        address: network address that the request came from.
    """

    id: str
    roles: frozenset[Role]
    unit: str | None = None
    login: str | None = None
    session: str | None = None
    address: str | None = None

    def has(self, *roles: Role) -> bool:
        return not self.roles.isdisjoint(roles)

    def acting_as(self, *allowed: Role) -> Role | None:
        """The first of `allowed` that this principal holds: what an action is recorded under."""
        return next((role for role in allowed if role in self.roles), None)
