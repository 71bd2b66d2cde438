"""Logs that nobody can take must not stop the work."""

import errno
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from shared.observability.logs import configure_logs


class _Full(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def _logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_logs_as_before")
def test_a_full_disk_under_the_logs_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Full())
    configure_logs("INFO")
    structlog.get_logger().bind().info("told.to.nobody")


@pytest.mark.usefixtures("_logs_as_before")
def test_closed_standard_error_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        configure_logs("INFO")
    structlog.get_logger().bind().info("told.to.nobody")
