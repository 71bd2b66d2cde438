"""A service that does nothing but send messages, and the servers that take them."""

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.clock import ManualClock
from shared.db import kernel_tables, service_metadata
from shared.inbox.subscriptions import Subscriptions
from shared.messages.message import Channel, Wording
from shared.messages.office import MessageOffice
from shared.messages.sender import MessageSender
from shared.messages.settings import MessageSettings
from shared.messages.tables import message_table
from shared.pack.model import CityPack
from shared.service import Runtime, Service
from shared.testing import ServiceUnderTest, service_under_test
from shared.testing.receivers import Gateway, MailServer, listening
from shared.web.messages import message_router
from shared.work import Actor, Origin

NOON = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)
WORDINGS = {
    "hello": {
        "zh": Wording("你好 $name", "$name，出事了：$what"),
        "en": Wording("Hello $name", "$name, something happened: $what"),
    }
}
ADDRESSES = {
    ("li", Channel.EMAIL): "li@example.org",
    ("li", Channel.SMS): "13800001111",
    ("wang", Channel.SMS): "13800002222",
}


class Book:
    async def address(self, recipient: str, channel: Channel) -> str | None:
        return ADDRESSES.get((recipient, channel))


def _book(_runtime: Runtime, _session: AsyncSession) -> Book:
    return Book()


metadata = service_metadata()
office = MessageOffice(message_table(metadata), WORDINGS, _book)
service = Service(
    name="hotline",
    summary="messages",
    metadata=metadata,
    tables=kernel_tables(metadata),
    routers=[message_router(office)],
    subscriptions=Subscriptions("hotline"),
    messages=office,
)


class Post:
    """Short ways to write, send and look at messages."""

    def __init__(self, sut: ServiceUnderTest, clock: ManualClock) -> None:
        self.sut, self.clock = sut, clock
        self.sender = self.another_sender()

    def another_sender(self) -> MessageSender:
        return MessageSender(self.sut.runtime, office)

    async def write(
        self,
        recipient: str = "li",
        channel: Channel = Channel.SMS,
        *,
        what: str = "井盖丢失",
        template: str = "hello",
        language: str = "zh-CN",
        undone: bool = False,
    ) -> Any:
        runtime = self.sut.runtime
        with contextlib.suppress(ZeroDivisionError):
            async with runtime.database.transaction() as session:
                work = runtime.work(session, Actor("rule:test"), Origin("test"))
                message_id = office.post(
                    work,
                    cause="alarm:1",
                    recipient=recipient,
                    channel=channel,
                    template=template,
                    language=language,
                    parameters={"name": recipient, "what": what},
                )
                await work.flush()
                if undone:
                    _ = 1 / 0  # the cause fails
        return message_id

    async def rows(self) -> list[Any]:
        async with self.sut.runtime.database.reading() as session:
            return list(await office.about(session, "alarm:1"))

    async def row(self) -> Any:
        (only,) = await self.rows()
        return only


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with listening(MailServer()) as server:
        yield server


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with listening(Gateway()) as server:
        yield server


@pytest.fixture
def settings(database_url: str, mail: MailServer, gateway: Gateway) -> MessageSettings:
    return MessageSettings(
        database_url=database_url,  # type: ignore[arg-type]
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_security="none",
        mail_from="centre@qilihe.example",
        gateway_url=gateway.url,
        gateway_secret="secret of the gateway",  # type: ignore[arg-type]
        gateway_body='{"phone": "$to", "content": ["$text"], "serial": "$id"}',
        message_attempts=3,
        message_batch=5,
    )


@pytest.fixture
async def post(
    settings: MessageSettings,
    database_url: str,
    qilihe: CityPack,
    tmp_path: Path,
    clock: ManualClock,
) -> AsyncIterator[Post]:
    async with service_under_test(
        service,
        database_url=database_url,
        pack=qilihe,
        folder=tmp_path,
        clock=clock,
        settings=settings,
    ) as sut:
        yield Post(sut, clock)
