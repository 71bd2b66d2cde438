"""A mail server and a gateway as tests need them: real sockets, and what came in is kept."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

END_OF_LETTER = b".\r\n"


@dataclass
class MailServer:
    """Takes letters over SMTP.

    Attributes:
        refuse: answers to the next recipients, first one first, e.g. `450 busy`; then all is taken.
        letters: what was taken.
    """

    port: int = 0
    refuse: list[str] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                answer = await self._answer(line.decode().strip(), reader, writer)
                writer.write(f"{answer}\r\n".encode())
                await writer.drain()
                if answer.startswith("221"):
                    break
        writer.close()

    async def _answer(
        self, line: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        verb = line.upper()
        if verb.startswith("RCPT"):
            if self.refuse:
                return f"{self.refuse.pop(0)} {line}"
            self.recipients.append(line.split("<")[1].split(">", maxsplit=1)[0])
        elif verb.startswith("DATA"):
            writer.write(b"354 go on\r\n")
            await self._take(reader)
        elif verb.startswith("QUIT"):
            return "221 bye"
        return "250 ok"

    async def _take(self, reader: asyncio.StreamReader) -> None:
        lines = []
        while (line := await reader.readline()) != END_OF_LETTER:
            lines.append(line)
        self.letters.append(
            BytesParser(EmailMessage, policy=policy.default).parsebytes(b"".join(lines))
        )


@dataclass
class Gateway:
    """Takes documents over HTTP.

    Attributes:
        statuses: answers to the next requests, first one first; then 200.
        requests: headers and body of what came in.
    """

    port: int = 0
    statuses: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status = self.statuses.pop(0) if self.statuses else 200
            self.requests.append((headers, body))
            writer.write(f"HTTP/1.1 {status} -\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def listening(receiver: Any) -> AsyncIterator[Any]:
    """A `MailServer` or `Gateway` on a free port of this machine, closed in the end."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
