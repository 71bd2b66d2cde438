"""Settings of hotline."""

from datetime import time
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.messages.settings import MessageSettings

if TYPE_CHECKING:
    from shared.service import Runtime


class HotlineSettings(MessageSettings):
    """What an installation may want to set differently; what belongs to a city is in its pack."""

    model_config = SettingsConfigDict(env_prefix="MINQING_HOTLINE_")

    personal_data_key: SecretStr | None = Field(
        default=None,
        description="base64 of 32 random bytes that callers are sealed with; several, separated by"
        " commas, while keys change: the first one seals, all of them open",
    )
    refuse_personal_data_in_text: bool = Field(
        default=True,
        description="refuse text that leaves the hotline with a telephone number in it",
    )
    country_code: str = Field(
        default="86", pattern=r"^[1-9]\d{0,2}$", description="dropped from callers' numbers"
    )
    callback_attempts: int = Field(
        default=3, ge=1, le=20, description="tries before a caller counts as not reached"
    )
    callback_retry_minutes: int = Field(default=120, ge=1)
    callback_from: time = Field(default=time(9), description="callers are not rung up earlier")
    callback_until: time = Field(default=time(20), description="nor at this hour or later")


def settings_of(runtime: "Runtime") -> HotlineSettings:
    """The hotline's own settings of a running service, defaults where it got general ones."""
    if isinstance(runtime.settings, HotlineSettings):
        return runtime.settings
    known: HotlineSettings | None = runtime.extras.get("hotline_settings")
    if known is None:
        known = HotlineSettings(**runtime.settings.model_dump())
        runtime.extras["hotline_settings"] = known
    return known
