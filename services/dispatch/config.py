"""Settings of dispatch."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.config import ServiceSettings


class DispatchSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MINQING_DISPATCH_")

    whole_time_from: int = Field(
        default=3, ge=2, description="dispatch of a run from which on all time counts for the unit"
    )
    coordination_after_returns: int = Field(
        default=3, ge=1, description="granted returns after which the units must be heard together"
    )
