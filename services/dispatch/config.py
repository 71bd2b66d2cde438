"""Settings of dispatch."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.dispatch.requests.domain import RequestKind, RequestRules
from shared.config import ServiceSettings


class DispatchSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MINQING_DISPATCH_")

    whole_time_from: int = Field(
        default=3, ge=2, description="dispatch of a run from which on all time counts for the unit"
    )
    coordination_after_returns: int = Field(
        default=3, ge=1, description="granted returns after which the units must be heard together"
    )
    extensions_at_most: int = Field(
        default=2, ge=0, description="extensions granted on one clock of a unit"
    )
    extension_in_time_only: bool = Field(
        default=True, description="whether an extension is asked for before the limit runs out"
    )
    deferrals_at_most: int = Field(
        default=1, ge=0, description="deferrals granted on one clock of a unit"
    )
    deferral_longest_days: int = Field(
        default=366, ge=1, description="calendar days a case may be put off, a leap year's at most"
    )
    two_level_consent: frozenset[RequestKind] = Field(
        default=frozenset({RequestKind.EXTENSION}),
        description="requests that a dispatcher proposes to grant and somebody above consents to",
    )

    def request_rules(self) -> RequestRules:
        """The rules of asking and granting."""
        return RequestRules(
            extensions_at_most=self.extensions_at_most,
            extension_in_time_only=self.extension_in_time_only,
            deferrals_at_most=self.deferrals_at_most,
            deferral_longest=timedelta(days=self.deferral_longest_days),
            two_level=self.two_level_consent,
        )
