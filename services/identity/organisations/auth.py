"""Who may see and change organisations."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires, signed_in

OrganisationReader = Annotated[Principal, Depends(signed_in())]
OrganisationKeeper = Annotated[Principal, Depends(requires(Role.SYSTEM_ADMINISTRATOR))]
