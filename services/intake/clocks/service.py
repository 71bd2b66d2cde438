"""The clocks of reports and field tasks, reckoned from what is stored by the pack that holds now.

Done when a clock begins, and again for all of them when the calendar has changed.
"""

from services.intake.clocks.domain import expiry, stage_clock
from services.intake.reports.models import Report
from services.intake.tasks.domain import WITH_SOMEBODY
from services.intake.tasks.models import FieldTask
from shared.pack.model import CityPack, Stage


def reckon_report(report: Report, pack: CityPack) -> None:
    """The registration stage, counted from receipt."""
    clock = stage_clock(
        pack,
        Stage.REGISTRATION,
        report.received_at,
        urgent=report.urgent,
        special=report.special,
    )
    report.stage_due_at, report.stage_warn_at = clock.due_at, clock.warn_at
    report.stage_provisional = clock.provisional


def reckon_task(task: FieldTask, pack: CityPack) -> None:
    """The time on the spot, counted from the latest issue; one that waits has none yet."""
    if task.issued_at is None:
        return
    clock = stage_clock(
        pack, Stage.VERIFICATION, task.issued_at, urgent=task.urgent, special=task.special
    )
    task.due_at, task.warn_at = clock.due_at, clock.warn_at
    task.provisional = clock.provisional
    reckon_expiry(task, pack)


def reckon_expiry(task: FieldTask, pack: CityPack) -> None:
    """When the task goes to somebody else; once accepted, only some time after its stage."""
    if task.state not in WITH_SOMEBODY or task.issued_at is None:
        return
    start = task.issued_at
    if task.accepted_at is not None:
        start = max(task.due_at or task.accepted_at, task.accepted_at)
    task.expires_at = expiry(pack, start, around_the_clock=task.urgent or task.special)
