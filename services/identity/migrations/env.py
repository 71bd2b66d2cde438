"""Alembic's way into the migrations of identity."""

from services.identity.app import service
from shared.db.migrations import run_from_environment

run_from_environment(service.metadata)
