"""Which cases are behind a figure, and the reasons in words."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from services.assessment.scoring.domain import (
    NEVER,
    Flags,
    Judgement,
    Kind,
    Reason,
    Standing,
)


class Figure(StrEnum):
    """Figures of a scorecard that list the cases behind them."""

    BEFORE_ALLOWANCE = "before-allowance"
    DUE = "due"
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    TIMELY = "timely"
    NOT_TIMELY = "not-timely"
    FORGIVEN_REPEAT = "forgiven-repeat"
    FORGIVEN_DEFERRAL = "forgiven-deferral"
    FORGIVEN_EXTENSION = "forgiven-extension"
    RETURNED_TO_OTHER = "returned-to-other"
    RETURNS_REFUSED = "returns-refused"
    REPEATED = "repeated"
    EXTENDED = "extended"
    DEFERRED = "deferred"
    FALSE_FEEDBACK = "false-feedback"
    LEFT_OUT = "left-out"


class Words(NamedTuple):
    """A reason as people read it."""

    zh: str
    en: str


WORDS: Mapping[Reason, Words] = {
    Reason.VOIDED: Words("案卷已作废,不计", "should never have been a case; left out"),
    Reason.EXCLUDED: Words("经两人决定剔除,不计", "excluded by decision of two people; left out"),
    Reason.RETURNED_TO_OTHER: Words(
        "退回后派给其他单位,不计入应解决数,计为退回",
        "was returned and went to another unit; left out and counted as a return",
    ),
    Reason.AWAITING_DISPATCH: Words(
        "已同意退回,待重新派遣,暂不计", "was returned and waits for dispatch; left out"
    ),
    Reason.DEFERRAL_FORGIVEN: Words(
        "缓办在允许比例内,移出应解决数", "its deferral is forgiven, so it leaves what was due"
    ),
    Reason.ACKNOWLEDGED: Words(
        "申诉成立,按及时解决计", "counts as resolved in time by a granted appeal"
    ),
    Reason.IN_TIME: Words("在认可时限内核查结案", "verified and closed within its limit"),
    Reason.NOT_CLOSED: Words("计算时尚未核查结案", "not verified and closed"),
    Reason.NOT_YET_DUE: Words("处置期限未到", "the deadline still lies ahead"),
    Reason.OVER_LIMIT: Words("用时超过认可时限", "took longer than the limit recognises"),
    Reason.EXTENSION_BEYOND: Words(
        "延期超出允许比例,延长时间不予认可",
        "its extension is beyond the allowance and not recognised",
    ),
    Reason.DEFERRAL_BEYOND: Words(
        "缓办超出允许比例,暂停时间计入用时",
        "its deferral is beyond the allowance: it stays due and the pause counts as used time",
    ),
    Reason.REPEAT_BEYOND: Words(
        "二次抄告超出允许比例", "was dispatched again, beyond the allowance"
    ),
    Reason.RETURNED_TO_SAME: Words(
        "退回后仍派给本单位", "was returned and came back to the same unit"
    ),
    Reason.EXTENSION_FORGIVEN: Words(
        "延期在允许比例内,时限相应延长", "its extension is forgiven and lengthens the limit"
    ),
    Reason.REPEAT_FORGIVEN: Words("二次抄告在允许比例内", "its repeated dispatch is forgiven"),
    Reason.RETURN_REFUSED: Words(
        "退回申请未获同意,计为推诿", "a return was refused: counted as shirking, spoils nothing"
    ),
    Reason.FALSE_FEEDBACK: Words(
        "反馈不实被退回,计为虚假反馈", "feedback was refused: counted as false feedback"
    ),
}


def behind(figure: Figure, judged: Judgement) -> Flags:
    """Which of the judged assignments are behind a figure."""
    lines, before = judged.columns, judged.before
    part = (lines.standing != Standing.VOIDED) & (lines.standing != Standing.EXCLUDED)
    flags: dict[Figure, Flags] = {
        Figure.BEFORE_ALLOWANCE: before,
        Figure.DUE: judged.due,
        Figure.RESOLVED: judged.resolved,
        Figure.UNRESOLVED: judged.due & ~judged.resolved,
        Figure.TIMELY: judged.timely,
        Figure.NOT_TIMELY: judged.due & ~judged.timely,
        Figure.FORGIVEN_REPEAT: judged.forgiven[Kind.REPEAT],
        Figure.FORGIVEN_DEFERRAL: judged.forgiven[Kind.DEFERRAL],
        Figure.FORGIVEN_EXTENSION: judged.forgiven[Kind.EXTENSION],
        Figure.RETURNED_TO_OTHER: judged.returned,
        Figure.RETURNS_REFUSED: part & (lines.returns_refused > 0),
        Figure.REPEATED: before & (lines.second_dispatch_at != NEVER),
        Figure.EXTENDED: before & (lines.extension_granted_at != NEVER),
        Figure.DEFERRED: before & (lines.deferral_granted_at != NEVER),
        Figure.FALSE_FEEDBACK: before & (lines.feedback_refused > 0),
        Figure.LEFT_OUT: ~judged.due,
    }
    return flags[figure]
