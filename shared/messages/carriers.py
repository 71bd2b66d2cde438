"""The ways out: one small interface, and what stands behind it for each channel."""

import asyncio
import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from string import Template
from typing import Any, Protocol

import httpx
import structlog

from shared.clock import Clock
from shared.errors import MinqingError
from shared.messages.message import Channel, Outgoing
from shared.messages.settings import MessageSettings

ACCEPTED = 300
KNOWN_ALREADY = 409
TRY_AGAIN = frozenset({408, 425, 429})
CALLER_AT_FAULT = range(400, 500)
SMTP_FINAL = 500

log = structlog.get_logger()


class NotSent(MinqingError):
    """The channel did not take it, but may take it later."""

    code = "message-not-sent"
    status = 503


class NeverSent(MinqingError):
    """The channel refuses it for good: another try would end the same."""

    code = "message-refused"
    status = 422


class Carrier(Protocol):
    """Takes one message out; it may be handed the same one again.

    Its errors go into tables and logs: they never hold an address.
    """

    async def carry(self, message: Outgoing) -> None:
        """Hand it over.

        Raises:
            NotSent: try again later.
            NeverSent: do not try again.
        """


class ConsoleCarrier:
    """Writes the message into the log of the process; it has no addresses."""

    async def carry(self, message: Outgoing) -> None:
        # Seen at every usual level: where there is no other channel, this is the message.
        log.warning(
            "message",
            id=str(message.id),
            recipient=message.recipient,
            subject=message.subject,
            text=message.text,
        )


class SmtpCarrier:
    """Hands the message to a mail server; the library blocks, so a thread does it."""

    def __init__(self, settings: MessageSettings) -> None:
        self._settings = settings

    async def carry(self, message: Outgoing) -> None:
        await asyncio.to_thread(self._send, message)

    def _send(self, message: Outgoing) -> None:
        try:
            with self._connected() as server:
                server.send_message(self._letter(message))
        except smtplib.SMTPRecipientsRefused as error:
            code = max((code for code, _text in error.recipients.values()), default=0)
            # The server's own words repeat the address.
            raise _by_code(code, "the mail server refused the recipient") from None
        except smtplib.SMTPResponseException as error:
            raise _by_code(error.smtp_code, "the mail server refused the message") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"The mail server cannot be reached: {type(error).__name__}.") from None

    def _connected(self) -> smtplib.SMTP:
        chosen = self._settings
        host, seconds = chosen.smtp_host or "", chosen.message_timeout_seconds
        if chosen.smtp_security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, chosen.smtp_port, timeout=seconds, context=context
            )
        else:
            server = smtplib.SMTP(host, chosen.smtp_port, timeout=seconds)
        if chosen.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if chosen.smtp_user and chosen.smtp_password:
            server.login(chosen.smtp_user, chosen.smtp_password.get_secret_value())
        return server

    def _letter(self, message: Outgoing) -> EmailMessage:
        letter = EmailMessage()
        domain = self._settings.mail_from.rsplit("@", 1)[-1]
        letter["Message-ID"] = f"<{message.id}@{domain}>"
        letter["From"], letter["To"] = self._settings.mail_from, message.address or ""
        letter["Subject"] = message.subject
        letter.set_content(message.text)
        return letter


class GatewayCarrier:
    """Posts a signed JSON document to an SMS or any other gateway.

    Headers `webhook-id`, `webhook-timestamp` and `webhook-signature` are those of Standard
    Webhooks: the signature is `v1,` and the base64 of HMAC-SHA256 over id, time and body. The id is
    that of the message, so a gateway knows a repetition.
    """

    def __init__(self, settings: MessageSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        secret = settings.gateway_secret
        self._secret = secret.get_secret_value().encode() if secret else b""
        self._body = json.loads(settings.gateway_body)

    async def carry(self, message: Outgoing) -> None:
        fields = {
            "id": str(message.id),
            "to": message.address or "",
            "subject": message.subject,
            "text": message.text,
        }
        body = json.dumps(_filled(self._body, fields), ensure_ascii=False).encode()
        try:
            async with httpx.AsyncClient(timeout=self._settings.message_timeout_seconds) as client:
                answer = await client.post(
                    self._settings.gateway_url or "",
                    content=body,
                    headers=self._headers(str(message.id), body),
                )
        except httpx.HTTPError as error:
            raise NotSent(f"The gateway cannot be reached: {type(error).__name__}.") from None
        _judge(answer.status_code)

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        at = str(int(self._clock.now().timestamp()))
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": at,
            "webhook-signature": signature(self._secret, message_id, at, body),
        }


def signature(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The signature of a request to a gateway, after Standard Webhooks."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def carriers_of(settings: MessageSettings, clock: Clock) -> Mapping[Channel, Carrier]:
    """A carrier for each channel that the settings make ready."""
    made: dict[Channel, Callable[[], Carrier]] = {
        Channel.CONSOLE: ConsoleCarrier,
        Channel.EMAIL: lambda: SmtpCarrier(settings),
        Channel.SMS: lambda: GatewayCarrier(settings, clock),
    }
    return {channel: made[channel]() for channel in settings.channels}


def _by_code(code: int, what: str) -> MinqingError:
    final = code >= SMTP_FINAL
    return (NeverSent if final else NotSent)(f"{what.capitalize()} (code {code}).")


def _judge(status: int) -> None:
    if status < ACCEPTED or status == KNOWN_ALREADY:
        return
    if status in CALLER_AT_FAULT and status not in TRY_AGAIN:
        raise NeverSent(f"The gateway refused the message (status {status}).")
    raise NotSent(f"The gateway did not take the message (status {status}).")


def _filled(value: Any, fields: Mapping[str, str]) -> Any:
    """The gateway's document with the fields in it, whatever characters they hold."""
    if isinstance(value, str):
        return Template(value).substitute(fields)
    if isinstance(value, list):
        return [_filled(one, fields) for one in value]
    if isinstance(value, dict):
        return {name: _filled(one, fields) for name, one in value.items()}
    return value
