"""An operator's decision on its way in."""

from typing import Annotated

from pydantic import Field

from services.intake.reports.schemas import ClassInput, Code, Input, PlaceInput
from shared.web.fields import Paragraph


class RegistrationCommand(Input):
    """Accept a report as a case. What is left out stays as reported."""

    class_ref: ClassInput | None = None
    condition: Code | None = Field(default=None, examples=["B01001-3"])
    description: Paragraph | None = Field(
        default=None, description="for the unit, without personal data"
    )
    place: PlaceInput | None = Field(default=None, description="where it really is")
    urgent: bool | None = Field(
        default=None, description="classes and conditions that are urgent stay so"
    )


class RejectionCommand(Input):
    """Do not accept a report."""

    reason_code: Annotated[str, Field(max_length=60, pattern=r"^[a-z][a-z0-9-]*$")] = Field(
        examples=["not-found-on-the-spot"]
    )
    reason: Annotated[Paragraph, Field(max_length=1_000)] = Field(
        description="told to the reporter"
    )
