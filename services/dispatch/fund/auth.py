"""Who gives money, and who may look at the ledger."""

from typing import Annotated

from fastapi import Depends

from services.dispatch.fund.errors import OfficeOnly
from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires

OfficeLeader = Annotated[Principal, Depends(requires(Role.LEADER))]
"""Together with `check_office`: a leader, and of the office."""

LedgerReader = Annotated[
    Principal, Depends(requires(Role.SUPERVISOR, Role.DISPATCHER, Role.LEADER))
]


def check_office(principal: Principal, office: str) -> None:
    """Only leaders of the leading group's office move money.

    Raises:
        OfficeOnly: this leader belongs elsewhere.
    """
    if principal.unit != office:
        raise OfficeOnly(f"This is for a leader of {office}.", office=office)
