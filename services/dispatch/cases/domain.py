"""Who may not do what after having done something else."""

from collections.abc import Collection

from services.dispatch.case_files.errors import DirectDispatchOnlyUrgent, SeparationOfDuties
from shared.vocabulary import Role

_DIRECT = frozenset({Role.AGENT, Role.SHIFT_LEADER})


def check_may_dispatch(roles: Collection[Role], *, urgent: bool) -> None:
    """Dispatchers dispatch everything; agents and shift leaders only what cannot wait.

    Raises:
        DirectDispatchOnlyUrgent: an ordinary case, and no dispatcher.
    """
    if Role.DISPATCHER not in roles and not urgent and not _DIRECT.isdisjoint(roles):
        raise DirectDispatchOnlyUrgent(
            "Only urgent cases are dispatched directly; this one goes through a dispatcher."
        )


def check_not_own_work(actor: str, workers: Collection[str | None], deed: str) -> None:
    """Who handled a case neither judges its feedback nor closes it.

    Raises:
        SeparationOfDuties: `actor` is one of `workers`.
    """
    if actor in workers:
        raise SeparationOfDuties(f"You handled this case: {deed} is a colleague's task.")
