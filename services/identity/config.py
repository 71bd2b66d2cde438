"""Settings of identity."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.config import ServiceSettings

if TYPE_CHECKING:
    from shared.service import Runtime


class IdentitySettings(ServiceSettings):
    """What identity can be told beyond what every service can."""

    model_config = SettingsConfigDict(env_prefix="MINQING_IDENTITY_")

    sealing_key: Annotated[SecretStr, Field(min_length=32)] | None = Field(
        default=None,
        description="secret that seals signing keys and second factors at rest, 32 characters or"
        " more; on SQLite it is made beside the database when not given",
    )

    demo_password: SecretStr | None = Field(
        default=None,
        description="given to every account of the pack that has none; never in real use",
    )

    access_token_minutes: int = Field(default=10, ge=1, le=45)
    idle_minutes: int = Field(default=30, ge=5, description="an unused session ends after it")
    absolute_hours: int = Field(default=12, ge=1, le=24, description="every session ends after it")

    sign_in_attempts: int = Field(default=5, ge=3, description="failures before a login is locked")
    address_attempts: int = Field(
        default=50, ge=5, description="failures before a source address is locked"
    )
    lock_minutes: float = Field(default=15, gt=0, description="doubled by each further failure")
    longest_lock_hours: float = Field(default=24, gt=0)

    password_length: int = Field(default=10, ge=8, le=64)
    password_history: int = Field(default=5, ge=1, le=24, description="recent ones not taken again")
    password_days: int = Field(default=180, ge=1, description="then it has to be changed")
    one_time_code_minutes: int = Field(default=1_440, ge=5)
    administrators_need_second_factor: bool = True

    client_token_minutes: int = Field(default=10, ge=1, le=45)
    client_secret_overlap_hours: float = Field(default=24, ge=0)
    key_lead_seconds: int = Field(
        default=60, ge=0, description="a new signing key is published so long before its first use"
    )

    argon2_memory_kib: int = Field(default=65_536, ge=8)
    argon2_rounds: int = Field(default=3, ge=1)
    hashing_threads: int = Field(default=2, ge=1, le=64)


def identity_settings(runtime: "Runtime") -> IdentitySettings:
    """The settings of this runtime.

    Raises:
        TypeError: it was put together with those of another service.
    """
    if not isinstance(runtime.settings, IdentitySettings):
        raise TypeError("identity runs with IdentitySettings only")
    return runtime.settings
