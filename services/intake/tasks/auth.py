"""Who sees and does field tasks, and who must not."""

from typing import Annotated

from fastapi import Depends

from services.intake.tasks.errors import DutiesNotSeparate, TaskNotFound, TaskWithAnother
from services.intake.tasks.models import FieldTask
from shared.auth.principal import UNIT, Principal
from shared.events.vocabulary import TaskKind
from shared.vocabulary import Role
from shared.web.policy import requires

SEES_ALL = (
    Role.OPERATOR,
    Role.SHIFT_LEADER,
    Role.DISPATCHER,
    Role.SUPERVISOR,
    Role.LEADER,
)

TaskReader = Annotated[Principal, Depends(requires(*SEES_ALL, Role.COLLECTOR))]
OnTheSpot = Annotated[Principal, Depends(requires(Role.COLLECTOR))]
TaskLeader = Annotated[Principal, Depends(requires(Role.OPERATOR, Role.SHIFT_LEADER))]


def require_visible(principal: Principal, task: FieldTask) -> FieldTask:
    """Hide tasks of others from collectors.

    Raises:
        TaskNotFound: it was never theirs.
    """
    own = principal.login is not None and principal.login in {task.collector, *task.tried}
    if not own and not principal.has(*SEES_ALL):
        raise TaskNotFound("There is no such task.")
    return task


def require_holder(principal: Principal, task: FieldTask) -> FieldTask:
    """Let only the collector go on who has the task now.

    Raises:
        TaskNotFound: it was never theirs.
        TaskWithAnother: it was, but has been taken back.
    """
    if principal.login is not None and task.collector == principal.login:
        return task
    if principal.login is not None and principal.login in task.tried:
        raise TaskWithAnother(
            "The task was not taken up in time and has gone to somebody else.",
            state=task.state.value,
            allowed=[],
        )
    raise TaskNotFound("There is no such task.")


def require_separate_duties(principal: Principal, task: FieldTask) -> None:
    """Who sends cases out or handles them does not say whether they are put right.

    Raises:
        DutiesNotSeparate: the account holds such a role too.
    """
    if task.kind is TaskKind.VERIFICATION and principal.has(Role.DISPATCHER, *UNIT):
        raise DutiesNotSeparate(
            "Your account also dispatches or handles cases: another collector has to verify."
        )
