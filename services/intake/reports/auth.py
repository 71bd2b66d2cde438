"""Who may send, see and ask about reports."""

from typing import Annotated

from fastapi import Depends

from services.intake.reports.errors import ReportNotFound, SourceNotYours
from services.intake.reports.models import Report
from shared.auth.principal import Principal
from shared.events.vocabulary import Source
from shared.vocabulary import Role
from shared.web.policy import requires

AUTHORS = (Role.COLLECTOR, Role.GRID_LEADER, Role.LEADER, Role.OPERATOR, Role.SHIFT_LEADER)
SEES_ALL = (
    Role.OPERATOR,
    Role.SHIFT_LEADER,
    Role.DISPATCHER,
    Role.SUPERVISOR,
    Role.VIDEO_OPERATOR,
    Role.AGENT,
    Role.LEADER,
)
SEES_OWN = (Role.COLLECTOR, Role.GRID_LEADER, Role.PARTNER)

ReportAuthor = Annotated[Principal, Depends(requires(*AUTHORS))]
VideoReporter = Annotated[Principal, Depends(requires(Role.VIDEO_OPERATOR))]
PartnerReporter = Annotated[Principal, Depends(requires(Role.PARTNER))]
ReportReader = Annotated[Principal, Depends(requires(*SEES_ALL, *SEES_OWN))]
CentreReader = Annotated[Principal, Depends(requires(*SEES_ALL))]
MediaAdder = Annotated[
    Principal,
    Depends(
        requires(Role.OPERATOR, Role.SHIFT_LEADER, Role.VIDEO_OPERATOR, *SEES_OWN, Role.LEADER)
    ),
]
ContactReader = Annotated[
    Principal, Depends(requires(Role.OPERATOR, Role.SHIFT_LEADER, Role.SUPERVISOR))
]

_SOURCE_OF_ROLE = {
    Role.COLLECTOR: Source.COLLECTOR,
    Role.GRID_LEADER: Source.GRID_LEADER,
    Role.LEADER: Source.LEADER,
}
ON_BEHALF = frozenset({Source.COLLECTOR, Source.GRID_LEADER, Source.LEADER, Source.WEB})


def source_for(principal: Principal, asked: Source | None) -> Source:
    """The source of a report that this person sends.

    Raises:
        SourceNotYours: an operator did not say on whose behalf, or another claimed a source.
    """
    role = principal.acting_as(*AUTHORS)
    own = _SOURCE_OF_ROLE.get(role) if role else None
    if own is not None:
        if asked not in {None, own}:
            raise SourceNotYours(f"Your reports come from the source {own}: leave `source` out.")
        return own
    if asked not in ON_BEHALF:
        choice = ", ".join(sorted(ON_BEHALF))
        raise SourceNotYours(f"Say in `source` on whose behalf you report: {choice}.")
    return asked


def require_visible(principal: Principal, report: Report) -> Report:
    """Hide reports of others from those who see only their own.

    Raises:
        ReportNotFound: it is somebody else's.
    """
    if not principal.has(*SEES_ALL) and report.reporter_id != principal.id:
        raise ReportNotFound("There is no such report.")
    return report
