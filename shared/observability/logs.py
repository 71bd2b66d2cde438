"""Structured logs: JSON lines for machines, coloured lines on a terminal."""

import contextlib
import logging
import sys
from typing import TextIO

import structlog


class _Bearing:
    """A stream whose disk may be full and whose reader may have gone: the service goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def configure_logs(
    level: str = "INFO", *, service: str | None = None, file: TextIO | None = None
) -> None:
    """Set up structlog, once per process.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        service: named in every line.
        file: where the lines go; standard error by default.
    """
    stream = file or sys.stderr
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if stream.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            *([] if stream.isatty() else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=_Bearing(stream)),  # type: ignore[arg-type]
    )
    # The client library logs every broken connection at ERROR; the bus reports what matters itself.
    for noisy in ("aio_pika", "aiormq"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    if service:
        structlog.contextvars.bind_contextvars(service=service)
