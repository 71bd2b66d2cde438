"""Settings of assessment."""

from pydantic_settings import SettingsConfigDict

from shared.config import ServiceSettings


class AssessmentSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MINQING_ASSESSMENT_")
