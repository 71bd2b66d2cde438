"""Who plays which part: people of the city pack, the same one for the same request in every run."""

from services.replay.errors import NobodyForRole
from services.replay.plan import Plan, share_of
from shared.pack.model import CityPack
from shared.vocabulary import Role

ON_SHIFT = 3
"""So many people of a role share its work: each has to sign in, which is slow on purpose."""


class Cast:
    """Chooses accounts by role."""

    def __init__(self, pack: CityPack) -> None:
        self._pack = pack

    def somebody(self, role: Role, key: str = "", *, unit: str | None = None) -> str:
        """The login of one who has a role.

        Raises:
            NobodyForRole: the pack has nobody who has it.
        """
        people = self._pack.people_with(role, unit)
        if not people:
            where = f" in {unit}" if unit else ""
            raise NobodyForRole(f"The city pack has nobody with the role {role.value}{where}.")
        on_shift = people[:ON_SHIFT]
        return on_shift[int(share_of("cast", role.value, key) * len(on_shift))].login

    def collector(self, plan: Plan) -> str:
        """Who walks the grid of a request, or another collector where it has none."""
        grid = self._pack.grids.get(plan.grid) if plan.grid else None
        return grid.owner if grid else self.somebody(Role.COLLECTOR, plan.key)

    def grid_leader(self, plan: Plan) -> str:
        """Who leads the ground of a request, or another grid leader."""
        leaders = self._pack.people_with(Role.GRID_LEADER)
        for person in leaders:
            if plan.grid and any(plan.grid.startswith(area) for area in person.territory):
                return person.login
        return self.somebody(Role.GRID_LEADER, plan.key)
