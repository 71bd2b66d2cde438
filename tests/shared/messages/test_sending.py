"""Messages leave at least once under one id, wait longer after each failure, and are never lost."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from prometheus_client import generate_latest
from structlog.testing import capture_logs

from shared.messages.carriers import signature
from shared.messages.message import Channel, MessageState
from shared.messages.sender import prune_messages, publish_message_figures
from shared.observability.metrics import REGISTRY
from shared.vocabulary import Role


async def test_an_sms_is_a_signed_document_of_the_configured_form(post: Any, gateway: Any) -> None:
    message = await post.write(what='井盖 "丢失" \\ 危险')
    await post.sender.send_batch()

    ((headers, body),) = gateway.requests
    assert json.loads(body) == {
        "phone": "13800001111",
        "content": ['li，出事了：井盖 "丢失" \\ 危险'],
        "serial": str(message),
    }
    assert headers["webhook-id"] == str(message)
    at = headers["webhook-timestamp"]
    assert headers["webhook-signature"] == signature(
        b"secret of the gateway", str(message), at, body
    )
    row = await post.row()
    assert (row.state, row.attempts, row.sent_at) == (MessageState.SENT, 1, post.clock.now())


async def test_an_e_mail_reaches_the_mail_server(post: Any, mail: Any) -> None:
    message = await post.write(channel=Channel.EMAIL, language="en", what="a cover\nis missing")
    await post.sender.send_batch()

    (letter,) = mail.letters
    assert mail.recipients == ["li@example.org"]
    assert (letter["Subject"], letter["From"]) == ("Hello li", "centre@qilihe.example")
    assert letter["Message-ID"] == f"<{message}@qilihe.example>"
    assert letter.get_content().split() == [
        "li,",
        "something",
        "happened:",
        "a",
        "cover",
        "is",
        "missing",
    ]
    assert (await post.row()).state == MessageState.SENT


async def test_what_is_undone_with_its_cause_is_never_sent(post: Any, gateway: Any) -> None:
    await post.write(undone=True)

    assert await post.sender.send_batch() == 0
    assert gateway.requests == []


async def test_a_failed_try_is_repeated_later_and_later_under_the_same_id(
    post: Any, gateway: Any
) -> None:
    gateway.statuses = [503, 429]
    await post.write()
    await post.sender.send_batch()
    assert await post.sender.send_batch() == 0, "not before its time"
    post.clock.advance(timedelta(seconds=2))
    await post.sender.send_batch()
    post.clock.advance(timedelta(seconds=3))
    assert await post.sender.send_batch() == 0, "the second pause is longer"
    post.clock.advance(timedelta(seconds=1))
    await post.sender.send_batch()

    assert len({headers["webhook-id"] for headers, _body in gateway.requests}) == 1
    row = await post.row()
    assert (row.state, row.attempts, row.last_error) == (MessageState.SENT, 3, None)


async def test_after_the_last_try_it_is_parked_with_the_reason_and_goes_on_when_released(
    post: Any, gateway: Any
) -> None:
    gateway.statuses = [500, 500, 500]
    message = await post.write()
    for _ in range(3):
        await post.sender.send_batch()
        post.clock.advance(timedelta(minutes=5))
    row = await post.row()
    assert (row.state, row.last_error) == (
        MessageState.PARKED,
        "The gateway did not take the message (status 500).",
    )
    assert await post.sender.send_batch() == 0

    async with post.sut.client(Role.SYSTEM_ADMINISTRATOR) as administrator:
        listed = (await administrator.get("/messages", params={"state": "parked"})).json()["items"]
        assert [item["id"] for item in listed] == [str(message)]
        assert "13800001111" not in json.dumps(listed)
        done = await administrator.post(f"/messages/{message}/release")
        assert (done.status_code, done.json()) == (200, {"released": 1})
        again = await administrator.post(f"/messages/{message}/release")
        assert (again.status_code, again.json()["code"]) == (404, "message-not-parked")
    async with post.sut.client(Role.AGENT) as agent:
        assert (await agent.get("/messages")).status_code == 403
    await post.sender.send_batch()
    assert (await post.row()).state == MessageState.SENT


async def test_what_is_refused_for_good_is_not_tried_again(
    post: Any, gateway: Any, mail: Any
) -> None:
    gateway.statuses, mail.refuse = [400], ["550 no such mailbox"]
    await post.write()
    await post.write(channel=Channel.EMAIL)
    await post.write("nobody")
    await post.write(template="unknown")
    await post.sender.send_batch()

    rows = await post.rows()
    assert [row.state for row in rows] == [MessageState.PARKED] * 4
    assert [row.last_error for row in rows] == [
        "The gateway refused the message (status 400).",
        "The mail server refused the recipient (code 550).",
        "nobody has no address for sms: enter one.",
        "There are no words for the message unknown.",
    ]


async def test_a_busy_mail_server_and_one_that_is_away_are_tried_again(
    post: Any, mail: Any
) -> None:
    mail.refuse = ["450 greylisted"]
    await post.write(channel=Channel.EMAIL)
    await post.sender.send_batch()
    assert (await post.row()).state == MessageState.QUEUED
    post.clock.advance(timedelta(minutes=1))
    await post.sender.send_batch()
    assert len(mail.letters) == 1


async def test_a_gateway_that_knows_the_message_already_has_taken_it(
    post: Any, gateway: Any
) -> None:
    gateway.statuses = [409]
    await post.write()
    await post.sender.send_batch()
    assert (await post.row()).state == MessageState.SENT


async def test_many_senders_share_the_work_and_send_nothing_twice(post: Any, gateway: Any) -> None:
    sent = {str(await post.write(what=str(number))) for number in range(20)}
    senders = [post.another_sender() for _ in range(4)]
    for _ in range(4):
        await asyncio.gather(*(sender.send_batch() for sender in senders))

    ids = [headers["webhook-id"] for headers, _body in gateway.requests]
    assert sorted(ids) == sorted(sent)


async def test_a_try_whose_process_died_is_made_by_another_once_its_lease_is_over(
    post: Any, gateway: Any
) -> None:
    await post.write()
    await post.sender._lease()  # and then the process was killed
    assert await post.another_sender().send_batch() == 0
    post.clock.advance(timedelta(seconds=31))
    await post.another_sender().send_batch()
    row = await post.row()
    assert (row.state, row.attempts, len(gateway.requests)) == (MessageState.SENT, 2, 1)


async def test_no_address_is_ever_logged_or_stored_with_an_error(
    post: Any, gateway: Any, mail: Any
) -> None:
    gateway.statuses, mail.refuse = [500, 400], ["450 <li@example.org> busy"]
    with capture_logs() as logs:
        for channel in Channel:
            await post.write(channel=channel)
        await post.write("wang")
        await post.sender.send_batch()
    seen = repr(logs) + repr(await post.rows())
    assert "出事了" in repr(logs), "the console shows the words"
    for address in ("example.org", "13800001111", "13800002222"):
        assert address not in seen


async def test_figures_tell_what_waits_what_left_and_what_was_given_up_on(
    post: Any, gateway: Any
) -> None:
    def figure(name: str) -> float:
        lines = generate_latest(REGISTRY).decode().splitlines()
        found = [line for line in lines if line.startswith(f"{name}{{") and '"hotline"' in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found)

    sent_before = figure("minqing_messages_sent_total")
    gateway.statuses = [500]
    for recipient in ("li", "nobody", "wang"):
        await post.write(recipient)
    await post.sender.send_batch()
    post.clock.advance(timedelta(seconds=50))
    await publish_message_figures(post.sut.runtime, post.sut.runtime.service.messages)

    assert figure("minqing_messages_queued") == 1
    assert figure("minqing_messages_parked") == 1
    assert figure("minqing_messages_oldest_seconds") == 50
    assert figure("minqing_messages_sent_total") == sent_before + 1


async def test_only_messages_sent_long_ago_are_deleted(post: Any) -> None:
    await post.write()
    await post.write("nobody")
    await post.sender.send_batch()
    post.clock.advance(timedelta(days=181))
    await prune_messages(post.sut.runtime, post.sut.runtime.service.messages)
    assert (await post.row()).state == MessageState.PARKED
