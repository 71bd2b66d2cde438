"""Figures of areas and units are for everybody in the city, the cases behind them are not."""

from typing import Annotated

from fastapi import Depends

from services.assessment.facts.auth import CITY_WIDE, sees_all_units
from services.assessment.indicators.errors import SubjectUnknown
from services.assessment.indicators.schemas import SubjectKind
from shared.auth.principal import UNIT, Principal
from shared.web.policy import requires, signed_in

IndicatorReader = Annotated[Principal, Depends(signed_in())]
BehindReader = Annotated[Principal, Depends(requires(*CITY_WIDE, *sorted(UNIT)))]


def check_may_see_cases(principal: Principal, kind: SubjectKind, code: str) -> None:
    """Units see the cases behind their own figures only.

    Raises:
        SubjectUnknown: they are another's.
    """
    own = kind is SubjectKind.UNITS and principal.unit == code
    if not own and not sees_all_units(principal):
        raise SubjectUnknown("You see the cases of your own unit only.")
