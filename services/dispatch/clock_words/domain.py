"""Words for stages, lights, requests and lengths of time, in Chinese and English."""

from dataclasses import dataclass

from services.dispatch.clocks.domain import Light, SegmentKind
from services.dispatch.requests.domain import RequestKind, RequestState
from shared.worktime import Limit, LimitKind

LANGUAGES = ("zh", "en")

STAGES = {
    SegmentKind.DISPATCH: ("派遣", "dispatch"),
    SegmentKind.COORDINATION: ("协调", "coordination"),
    SegmentKind.HANDLING: ("处置", "handling"),
    SegmentKind.DEFERRAL: ("缓办", "deferral"),
    SegmentKind.SUPERVISION: ("督办审核", "supervision"),
    SegmentKind.SENDING_OUT: ("发出核查", "sending out"),
    SegmentKind.VERIFICATION: ("现场核查", "verification on the spot"),
    SegmentKind.CLOSING: ("结案", "closing"),
}
HOLDERS = {
    "dispatcher": ("派遣员", "the dispatcher"),
    "centre": ("监督指挥中心", "the centre"),
    "collector": ("采集员", "the collector"),
}
LIGHTS = {
    Light.GREEN: ("绿灯", "green"),
    Light.YELLOW: ("黄灯", "yellow"),
    Light.RED: ("红灯", "red"),
    Light.NONE: ("无时限", "no limit"),
}
REQUESTS = {
    RequestKind.RETURN: ("退回", "Return"),
    RequestKind.EXTENSION: ("延期", "Extension"),
    RequestKind.DEFERRAL: ("缓办", "Deferral"),
    RequestKind.VOID: ("作废", "Voiding"),
}
OUTCOMES = {
    RequestState.ASKED: ("未决定", "undecided"),
    RequestState.GRANTED: ("同意", "granted"),
    RequestState.REFUSED: ("不同意", "refused"),
    RequestState.WITHDRAWN: ("撤回", "withdrawn"),
    RequestState.LAPSED: ("失效", "lapsed"),
}
KINDS = {
    LimitKind.WORKING_HOURS: ("工作时", "working hours"),
    LimitKind.WORKING_DAYS: ("个工作日", "working days"),
    LimitKind.HOURS: ("紧急工作时", "hours, nights and holidays included"),
    LimitKind.DAYS: ("紧急工作日", "days, nights and holidays included"),
    LimitKind.MINUTES: ("紧急工作分钟", "minutes, nights and holidays included"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """One of the two languages."""

    language: str

    def pick(self, pair: tuple[str, str]) -> str:
        return pair[LANGUAGES.index(self.language)]

    def say(self, zh: str, en: str) -> str:
        return self.pick((zh, en))

    def length(self, seconds: int) -> str:
        """A length of time to the second: `6 h 20 min`."""
        parts = (
            (seconds // 3600, "小时", "h"),
            (seconds // 60 % 60, "分", "min"),
            (seconds % 60, "秒", "s"),
        )
        said = [
            f"{amount}{zh}" if self.language == "zh" else f"{amount} {en}"
            for amount, zh, en in parts
            if amount
        ]
        joined = "".join(said) if self.language == "zh" else " ".join(said)
        return joined or self.say("0秒", "0 s")

    def limit(self, limit: Limit) -> str:
        """A limit as the trade says it: `6 working hours`."""
        return f"{str(limit).split(' ')[0]} {self.pick(KINDS[limit.kind])}"


def language_of(parameter: str | None, accepted: str | None) -> str:
    """The language asked for by a parameter, else the first known one that is accepted.

    Args:
        parameter: `zh` or `en`, or nothing.
        accepted: the header `Accept-Language`, e.g. `en-GB,en;q=0.9,zh;q=0.5`.

    Returns:
        `zh` or `en`; Chinese when nothing decides.
    """
    if parameter in LANGUAGES:
        return parameter
    found: list[tuple[float, int, str]] = []
    for place, part in enumerate((accepted or "").split(",")):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.lower().split("-")[0]
        if language in LANGUAGES:
            found.append((-_weight(weight), place, language))
    return min(found)[2] if found and -min(found)[0] > 0 else LANGUAGES[0]


def _weight(text: str) -> float:
    """A quality value; one that cannot be read says nothing against its language."""
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 1.0
