"""Whom an alarm reaches, in which order, in which words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.messages.message import Channel, Wording, Wordings
from shared.pack.model import EmergencyRules


class AlarmState(StrEnum):
    OPEN = "open"
    """Nobody has taken it up yet."""
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"
    """What it was about is closed, voided, rejected or merged."""


class AlarmKind(StrEnum):
    URGENT = "urgent"
    """By class or condition, or marked as urgent."""
    EMERGENCY = "emergency"
    """Marked as an emergency."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Who could be told, by account name.

    Attributes:
        on_duty: leaders of the shifts that run now; empty when the roster has nobody.
        shift_leaders: everybody who leads shifts at some time.
    """

    on_duty: tuple[str, ...]
    shift_leaders: tuple[str, ...]

    @property
    def unstaffed(self) -> bool:
        """Nobody is on the roster: then nobody is off duty either."""
        return not self.on_duty


def told_at_once(rules: EmergencyRules, roster: Roster) -> tuple[str, ...]:
    """Who is told when an alarm is raised: the shift leader on duty and the leaders of the pack.

    With nobody on the roster every shift leader is told: rather somebody woken than nobody reached.
    """
    leads = roster.on_duty or roster.shift_leaders
    return _once((*leads, *rules.leaders))


def told_next(rules: EmergencyRules, roster: Roster, step: int) -> str | None:
    """Who is told at the n-th escalation (from 1), or None when the list is exhausted.

    Shift leaders who are off duty are passed over, unless nobody is on duty.
    """
    off_duty: set[str] = set()
    if not roster.unstaffed:
        off_duty = set(roster.shift_leaders) - set(roster.on_duty)
    chain = [login for login in _once(rules.escalation) if login not in off_duty]
    if not chain or step > len(chain) * rules.rounds:
        return None
    return chain[(step - 1) % len(chain)]


def channels_for(ready: Sequence[Channel], reachable: Collection[Channel]) -> tuple[Channel, ...]:
    """By which channels somebody is told.

    By every one that is set up and has an address. Without any address one of them is tried all the
    same: its message is parked with the reason, so that somebody sees that a contact is missing.
    """
    addressed = [channel for channel in ready if channel is not Channel.CONSOLE]
    chosen = [channel for channel in addressed if channel in reachable] or addressed[:1]
    console = [Channel.CONSOLE] if Channel.CONSOLE in ready else []
    return (*console, *chosen)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


RAISED = "alarm-raised"
RAISED_UNSTAFFED = "alarm-raised-unstaffed"
ESCALATED = "alarm-escalated"

WORDINGS: Wordings = {
    RAISED: {
        "zh": Wording(
            "【$kind】$what",
            "【$kind】$what，地点：$where，编号 $number，$when 记录。请立即登录系统确认。",
        ),
        "en": Wording(
            "$kind: $what",
            "$kind: $what. Where: $where. Number $number, recorded $when."
            " Acknowledge it in the system at once.",
        ),
    },
    RAISED_UNSTAFFED: {
        "zh": Wording(
            "【$kind】$what（无人当班）",
            "【$kind】$what，地点：$where，编号 $number，$when 记录。"
            "排班表上此刻无值班长，已通知全部值班长和领导，请立即登录系统确认。",
        ),
        "en": Wording(
            "$kind: $what (nobody on the roster)",
            "$kind: $what. Where: $where. Number $number, recorded $when. The roster has no shift"
            " leader now: all of them and the leaders are told. Acknowledge it at once.",
        ),
    },
    ESCALATED: {
        "zh": Wording(
            "【$kind·无人确认】$what",
            "【$kind】$what，地点：$where，编号 $number，$when 记录，至今无人确认。请您立即确认。",
        ),
        "en": Wording(
            "$kind, nobody has answered: $what",
            "$kind: $what. Where: $where. Number $number, recorded $when. Nobody has acknowledged"
            " it so far: please do.",
        ),
    },
}

KIND_NAMES = {
    AlarmKind.URGENT: {"zh": "紧急", "en": "Urgent"},
    AlarmKind.EMERGENCY: {"zh": "突发", "en": "Emergency"},
}
