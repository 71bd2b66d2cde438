"""Sends prepared requests as fast as a number of callers can, and measures what comes back.

Bare sockets: an HTTP client library would cost more than the server that is measured.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

IDLE_SECONDS = 3.0
"""After so long a connection is not used again: the server closes idle ones after five seconds."""


@dataclass(frozen=True)
class Figures:
    """What a run came to; times in milliseconds."""

    callers: int
    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float

    def line(self, what: str) -> str:
        return (
            f"{what:<34} {self.callers:>3} callers {self.per_second:>8.0f}/s"
            f"  p50 {self.p50_ms:>7.1f} ms  p99 {self.p99_ms:>7.1f} ms"
        )


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Refused(AssertionError):
    """The server did not answer with success."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__(f"{status}: {content.decode(errors='replace')}")
        self.status = status


class Line:
    """One connection to a server, kept open; one request at a time.

    Args:
        address: scheme, host and port.
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname, parts.port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._used_at = 0.0
        self.requests = 0

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(
            self._host, self._port, limit=1 << 24
        )
        self._used_at = time.perf_counter()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    async def post(
        self, path: str, token: str, body: Mapping[str, Any], *, key: str | None = None
    ) -> bytes:
        return await self.send("POST", path, token, json.dumps(body).encode(), key=key)

    async def get(self, path: str, token: str = "") -> bytes:
        return await self.send("GET", path, token)

    async def send(
        self,
        method: str,
        path: str,
        token: str = "",
        content: bytes = b"",
        *,
        kind: str = "application/json",
        key: str | None = None,
    ) -> bytes:
        """The body of the answer.

        Raises:
            Refused: it was not a success.
        """
        assert self._writer is not None
        if time.perf_counter() - self._used_at > IDLE_SECONDS:
            self._writer.close()
            await self._connect()
        assert self._reader is not None
        head = f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if method != "GET":
            head += (
                f"Content-Type: {kind}\r\nIdempotency-Key: {key or uuid.uuid4()}\r\n"
                f"Content-Length: {len(content)}\r\n"
            )
        self._writer.write(f"{head}\r\n".encode() + content)
        self.requests += 1
        status, answer = await _answer(self._reader)
        self._used_at = time.perf_counter()
        if not 200 <= status < 300:
            raise Refused(status, answer)
        return answer


async def run(
    url: str,
    token: str,
    body: Callable[[], Mapping[str, Any]],
    *,
    callers: int,
    seconds: float,
    warm_up: float = 1.0,
) -> Figures:
    """POST `body()` to `url` from so many connections for so long."""
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}"
    times: list[float] = []
    measured_from = time.perf_counter() + warm_up
    until = measured_from + seconds

    async def caller() -> None:
        async with Line(address) as line:
            while (started := time.perf_counter()) < until:
                await line.post(parts.path, token, body())
                if started >= measured_from:
                    times.append(time.perf_counter() - started)

    await asyncio.gather(*(caller() for _ in range(callers)))
    times.sort()
    return Figures(
        callers=callers,
        requests=len(times),
        per_second=len(times) / seconds,
        p50_ms=percentile(times, 0.5) * 1e3,
        p99_ms=percentile(times, 0.99) * 1e3,
    )


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    status = int(lines[0].split(b" ", 2)[1])
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    return status, await reader.readexactly(length)
