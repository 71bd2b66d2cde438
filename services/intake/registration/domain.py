"""When a report becomes a case without a person deciding, and what numbers look like."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.intake.reports.domain import (
    case_class,
    class_key,
    condition_of,
    is_trusted,
    source_code,
)
from shared.events.intake import EMERGENCY_RULE
from shared.events.vocabulary import ClassRef, Place, Source
from shared.pack.model import CityPack, RegistrationCondition
from shared.vocabulary import PositionSource

TRUSTED_SOURCE = "trusted-source"
"""Name of the rule: the source is trusted and the data are complete."""

DIGITS = 5


class Told(Protocol):
    """What the rule looks at: the same of a report coming in and of one already stored."""

    @property
    def source(self) -> Source: ...
    @property
    def class_ref(self) -> ClassRef | None: ...
    @property
    def place(self) -> Place: ...
    @property
    def description(self) -> str: ...
    @property
    def media(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Nature:
    """What a report is about, as far as it is known, and what follows from that.

    Attributes:
        urgent: by class, by condition or because somebody marked it.
        special: shows at certain times only.
    """

    condition: RegistrationCondition | None
    urgent: bool
    special: bool


def nature(pack: CityPack, ref: ClassRef | None, condition: str | None, *, marked: bool) -> Nature:
    """Look up class and condition.

    Raises:
        ClassUnknown: the city does not have the class.
        ConditionNotOfClass: the condition is not one of the class.
    """
    if ref is None:
        return Nature(condition_of(pack, None, condition), urgent=marked, special=False)
    known = case_class(pack, ref)
    chosen = condition_of(pack, ref, condition)
    return Nature(
        chosen,
        urgent=marked or known.urgent or bool(chosen and chosen.urgent),
        special=known.special or bool(chosen and chosen.special),
    )


def position_known(place: Place, max_accuracy_m: float) -> bool:
    """Whether the position is good enough to send somebody there without asking."""
    if place.longitude is None:
        return False
    if place.accuracy_m is None:
        return place.position_source in {PositionSource.MANUAL, PositionSource.CAMERA}
    return place.accuracy_m <= max_accuracy_m


def missing_parts(pack: CityPack, told: Told, found: Nature) -> set[str]:
    """Parts that the city's rule asks for and the report does not have."""
    present = {
        "class": told.class_ref is not None,
        "condition": found.condition is not None,
        "position": position_known(told.place, pack.registration.max_accuracy_m),
        "grid": told.place.grid is not None,
        "text": bool(told.description.strip()),
        "photograph": bool(told.media),
    }
    # Whatever the city asks for, a case cannot be without these.
    asked = pack.registration.requires | {"class", "condition", "grid"}
    return {part for part in asked if not present.get(part, False)}


def registers_by_rule(pack: CityPack, told: Told, found: Nature) -> bool:
    """Whether the rule accepts the report without an operator."""
    return (
        pack.registration.automatic
        and is_trusted(pack, told.source)
        and told.class_ref is not None
        and class_key(told.class_ref) not in pack.registration.excluded
        and not missing_parts(pack, told, found)
    )


@dataclass(frozen=True, slots=True)
class ByRule:
    """That a rule of the city accepts a report, and as what.

    Attributes:
        class_assumed: class or condition stands in; an operator has yet to confirm it.
    """

    rule: str
    class_ref: ClassRef
    condition: RegistrationCondition
    nature: Nature
    class_assumed: bool = False


def accepted_by_rule(
    pack: CityPack, told: Told, found: Nature, *, emergency: bool
) -> ByRule | None:
    """The rule that makes a report a case without an operator, if one does.

    A complete report of a trusted source is nothing special, also as an emergency. An emergency of
    a source that the pack names is a case whatever is missing: papers follow.
    """
    if registers_by_rule(pack, told, found) and told.class_ref and found.condition:
        return ByRule(TRUSTED_SOURCE, told.class_ref, found.condition, found)
    if not emergency or source_code(told.source) not in pack.emergencies.sources:
        return None
    ref, condition = told.class_ref, found.condition
    if ref is not None and condition is None:
        of_class = pack.conditions_of(class_key(ref))
        condition = next((one for one in of_class if one.urgent), next(iter(of_class), None))
    if ref is None or condition is None:
        condition = pack.condition(pack.emergencies.default_condition)
        key = condition.class_key
        ref = ClassRef(scheme=key.scheme, kind=key.kind, code=key.code)
    assumed = ref != told.class_ref or condition != found.condition
    as_what = nature(pack, ref, condition.code, marked=True)
    return ByRule(EMERGENCY_RULE, ref, condition, as_what, class_assumed=assumed)


def case_number(division: str, day: str, sequence: int) -> str:
    """Division, date and daily sequence of at least five digits."""
    return f"{division}{day}{sequence:0{DIGITS}d}"


def report_number(day: str, sequence: int) -> str:
    return f"R{day}{sequence:0{DIGITS}d}"
