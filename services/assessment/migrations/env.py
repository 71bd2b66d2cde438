"""Alembic's way into the migrations of assessment."""

from services.assessment.app import service
from shared.db.migrations import run_from_environment

run_from_environment(service.metadata)
