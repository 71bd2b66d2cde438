"""Settings of services that send messages."""

import json
from string import Template
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator

from shared.config import ServiceSettings
from shared.messages.message import Channel

GATEWAY_FIELDS = frozenset({"id", "to", "subject", "text"})


def _known_channels(text: str) -> str:
    known = {channel.value for channel in Channel}
    named = [name.strip() for name in text.split(",")]
    if unknown := [name for name in named if name not in known]:
        raise ValueError(f"no channel '{unknown[0]}'; there are {', '.join(sorted(known))}")
    return text


def _gateway_body(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"the body of the gateway is no JSON: {error}") from None
    unknown = set(Template(text).get_identifiers()) - GATEWAY_FIELDS
    if unknown:
        names = ", ".join(sorted(GATEWAY_FIELDS))
        raise ValueError(f"the gateway's body names ${unknown.pop()}; there are {names}")
    return text


class MessageSettings(ServiceSettings):
    """How messages leave; a service that sends any derives its settings from this."""

    message_channels: Annotated[str, AfterValidator(_known_channels)] = Field(
        default="console,email,sms",
        description="channels in use, separated by commas; e-mail and SMS only with their server",
    )
    message_attempts: int = Field(default=10, ge=1, description="tries before one is parked")
    message_first_pause_seconds: float = Field(default=2, gt=0)
    message_longest_pause_seconds: float = Field(default=300, gt=0)
    message_timeout_seconds: float = Field(default=10, gt=0, description="of one try")
    message_poll_seconds: float = Field(default=1, gt=0)
    message_batch: int = Field(default=20, ge=1, le=200, description="sent side by side")
    message_retention_days: int = Field(default=180, ge=1, description="of messages sent")
    smtp_host: str | None = Field(default=None, description="without it no e-mail leaves")
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: str = Field(default="starttls", pattern="^(none|starttls|tls)$")
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str = "minqing@localhost"
    gateway_url: str | None = Field(default=None, description="without it no SMS leaves")
    gateway_secret: SecretStr | None = Field(default=None, description="signs each request")
    gateway_body: Annotated[str, AfterValidator(_gateway_body)] = Field(
        default='{"id": "$id", "to": "$to", "text": "$text"}',
        description="JSON sent to the gateway; $id, $to, $subject and $text are filled in",
    )

    @model_validator(mode="after")
    def _gateway_is_signed(self) -> "MessageSettings":
        if self.gateway_url and not self.gateway_secret:
            raise ValueError("a gateway needs gateway_secret: unsigned messages could be anybody's")
        return self

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are named and have what they need."""
        named = {name.strip() for name in self.message_channels.split(",")}
        ready = {
            Channel.CONSOLE: True,
            Channel.EMAIL: self.smtp_host is not None,
            Channel.SMS: self.gateway_url is not None,
        }
        return tuple(channel for channel in Channel if channel.value in named and ready[channel])


def message_settings(settings: ServiceSettings) -> MessageSettings:
    """The settings for messages, defaults where a service has none of its own."""
    if isinstance(settings, MessageSettings):
        return settings
    given: dict[str, Any] = settings.model_dump()
    return MessageSettings(**given)
