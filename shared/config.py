"""Settings of a service: read from the environment and from secret files, checked at start."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS_DIRECTORY = Path("/run/secrets")


class ServiceSettings(BaseSettings):
    """What every service can be told.

    A service subclasses this with its own `env_prefix` (`MINQING_INTAKE_` and so on), so one
    environment can hold the settings of all of them.

    Secrets may come from files of the same name in `/run/secrets`.
    """

    model_config = SettingsConfigDict(
        extra="ignore",
        secrets_dir=SECRETS_DIRECTORY if SECRETS_DIRECTORY.is_dir() else None,
    )

    database_url: SecretStr = Field(
        description="SQLAlchemy URL with its driver: postgresql+psycopg://… or sqlite+aiosqlite:///…"
    )
    broker_url: SecretStr | None = Field(
        default=None,
        description="amqp://… ; without it the services of one process are joined in memory",
    )
    bus_prefix: str = Field(
        default="", description="put before exchange and queue names on a shared broker"
    )
    pack: Annotated[Path, Field(validation_alias=AliasChoices("MINQING_PACK", "pack"))] = Path(
        "packs/qilihe"
    )
    media_url: str = Field(default="var/media", description="local folder or s3:// URL")
    identity_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("MINQING_IDENTITY_URL", "identity_url"),
        description="where the signing keys are published, e.g. https://host/api/identity/v1",
    )

    pool_size: int = Field(default=8, ge=1)
    pool_timeout_seconds: float = Field(default=3, gt=0)
    statement_timeout_seconds: float = Field(default=15, gt=0)
    lock_timeout_seconds: float = Field(default=3, gt=0)
    max_body_bytes: int = Field(default=1_000_000, ge=1_000)
    idempotency_retention_days: int = Field(default=7, ge=1)
    sent_event_retention_days: int = Field(default=7, ge=7)
    inbox_retention_days: int = Field(default=60, ge=30)
    handler_attempts: int = Field(default=8, ge=1, description="tries before an event is parked")
    crash_attempts: int = Field(
        default=5,
        ge=1,
        description="redeliveries that killed their process before an event is parked",
    )
    timer_poll_seconds: float = Field(
        default=1.0, gt=0, description="pause between two looks at what is due"
    )
    relay_poll_seconds: float = Field(default=1.0, gt=0)
    relay_batch: int = Field(default=100, ge=1, le=1_000)
    log_level: str = "INFO"
