"""The form in which every fact travels: CloudEvents 1.0 names, structured JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.errors import InvalidInput

CONTENT_TYPE = "application/cloudevents+json"
SCHEMA_BASE = "urn:minqing:schema:"

E = TypeVar("E", bound="Event")


class UnreadableEvent(InvalidInput):
    """The bytes are no event of ours, or of a newer version than this program knows."""

    code = "event-unreadable"


class Event(BaseModel):
    """A fact that a service tells the others; past tense, frozen, one class per type and version.

    Subclasses set `TYPE` to `<service>.<aggregate>.<fact>.v<N>`, which is also the routing key.
    Fields never hold personal data: a caller is an opaque id.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str] = ""

    @classmethod
    def aggregate(cls) -> str:
        """`<service>.<aggregate>`: facts of one subject of one aggregate are numbered from 1."""
        return aggregate_of(cls.TYPE)


def aggregate_of(event_type: str) -> str:
    return ".".join(event_type.split(".")[:2])


class Envelope(BaseModel):
    """One event on its way, or at rest in an outbox.

    Attributes:
        id: UUIDv7 of the event; the same in every delivery of it.
        source: who tells it, e.g. `/intake`.
        type: `<service>.<aggregate>.<fact>.v<N>`.
        time: when it happened (UTC).
        subject: id of the aggregate that it is about.
        sequence: number of this fact among those of its subject, from 1, without holes.
        correlationid: the first command of the whole story.
        causationid: the event or command that led to this one.
        actorid: account, system or rule that did it; opaque.
        actorrole: the role in which it was done.
        actorunit: the unit for which it was done.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    time: AwareDatetime
    subject: str
    datacontenttype: str = "application/json"
    dataschema: str
    sequence: int = Field(ge=1)
    correlationid: str
    causationid: str | None = None
    traceparent: str | None = None
    actorid: str
    actorrole: str | None = None
    actorunit: str | None = None
    data: dict[str, Any]

    @property
    def aggregate(self) -> str:
        return aggregate_of(self.type)

    def to_bytes(self) -> bytes:
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read an envelope.

        Raises:
            UnreadableEvent: not an envelope; the message names the first fault.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "document"
            raise UnreadableEvent(f"Not an event of this suite: {where}: {first['msg']}") from error


@dataclass(frozen=True, slots=True)
class Received(Generic[E]):
    """An event as its handler gets it: what happened, and what is known about the telling."""

    event: E
    envelope: Envelope

    @property
    def subject(self) -> UUID:
        return UUID(self.envelope.subject)

    @property
    def happened_at(self) -> datetime:
        return self.envelope.time
