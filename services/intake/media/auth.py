"""Who sends photographs, who sees them, who sees the sealed originals."""

from typing import Annotated

from fastapi import Depends

from shared.auth.principal import Principal
from shared.vocabulary import Role
from shared.web.policy import requires, signed_in

Uploader = Annotated[
    Principal,
    Depends(
        requires(
            Role.COLLECTOR,
            Role.GRID_LEADER,
            Role.HANDLER,
            Role.UNIT_LEAD,
            Role.OPERATOR,
            Role.SHIFT_LEADER,
            Role.VIDEO_OPERATOR,
            Role.DISPATCHER,
            Role.SUPERVISOR,
            Role.AGENT,
            Role.LEADER,
            Role.PARTNER,
        )
    ),
]
MediaReader = Annotated[Principal, Depends(signed_in())]
EvidenceReader = Annotated[Principal, Depends(requires(Role.SUPERVISOR, Role.AUDIT_ADMINISTRATOR))]
