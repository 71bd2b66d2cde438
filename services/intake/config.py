"""Settings of intake."""

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.intake.media.domain import Tolerance
from shared.config import ServiceSettings

if TYPE_CHECKING:
    from shared.service import Runtime


class IntakeSettings(ServiceSettings):
    """What an installation may want to set differently; what belongs to a city is in its pack."""

    model_config = SettingsConfigDict(env_prefix="MINQING_INTAKE_")

    personal_data_key: SecretStr | None = Field(
        default=None,
        description="base64 of 32 random bytes that reporters' names and numbers are sealed with;"
        " several, separated by commas, while keys change: the first one seals, all of them open",
    )
    public_reports_per_hour: int = Field(
        default=20, ge=1, description="reports without sign-in from one network address"
    )
    public_media_per_hour: int = Field(
        default=40, ge=1, description="photographs without sign-in from one network address"
    )
    media_per_day: int = Field(
        default=1_000, ge=1, description="photographs of one account in 24 hours"
    )
    media_max_bytes: int = Field(default=20 * 1024 * 1024, ge=1_024)
    photograph_metres: float = Field(
        default=200,
        ge=0,
        description="a photograph taken further away, by its camera's word, is doubted",
    )
    photograph_hours: float = Field(
        default=12,
        gt=0,
        description="a photograph taken, or sent already, so long before or after is doubted",
    )
    media_orphan_hours: int = Field(
        default=48,
        ge=1,
        description="files of photographs that nobody wrote down are removed after it",
    )
    task_photographs: int = Field(
        default=1, ge=0, le=20, description="photographs a finding needs at least"
    )
    position_max_age_minutes: int = Field(
        default=30, ge=1, description="an older position says nothing about who is nearest"
    )
    position_retention_hours: int = Field(
        default=72, ge=1, description="how long single positions of collectors are kept"
    )

    @property
    def photograph_tolerance(self) -> Tolerance:
        return Tolerance(self.photograph_metres, timedelta(hours=self.photograph_hours))


def settings_of(runtime: "Runtime") -> IntakeSettings:
    """Intake's own settings; their defaults where the service was started with general ones."""
    if isinstance(runtime.settings, IntakeSettings):
        return runtime.settings
    known: IntakeSettings | None = runtime.extras.get("intake_settings")
    if known is None:
        known = IntakeSettings(**runtime.settings.model_dump())
        runtime.extras["intake_settings"] = known
    return known
