"""The documents about events and APIs, written from the code: Markdown, AsyncAPI 3 and OpenAPI."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic.json_schema import models_json_schema

from services.composition import SERVICES, service_named, settings_of
from shared.auth.tokens import StaticKeys, TokenVerifier
from shared.bus.memory import MemoryExchange, MemoryTransport
from shared.bus.transport import EXCHANGE
from shared.clock import SystemClock
from shared.db.database import Database
from shared.events.envelope import SCHEMA_BASE, Envelope, Event
from shared.events.examples import example_envelope, example_of
from shared.events.registry import event_classes
from shared.inbox.subscriptions import Subscriptions
from shared.service import Runtime, Service
from shared.web.app import create_service_app

if TYPE_CHECKING:
    from shared.pack.model import CityPack

EVENTS = Path("docs/events.md")
ASYNCAPI = Path("docs/asyncapi.json")
OPENAPI = Path("docs/openapi")

ASYNCAPI_VERSION = "3.0.0"
BINDING_VERSION = "0.3.0"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publication:
    """One event type as its readers see it."""

    event_class: type[Event]
    consumers: tuple[str, ...]

    @property
    def type(self) -> str:
        return self.event_class.TYPE

    @property
    def publisher(self) -> str:
        return self.type.split(".")[0]

    @property
    def summary(self) -> str:
        return (self.event_class.__doc__ or "").split("\n\n")[0].replace("\n", " ").strip()


def publications(services: list[Service]) -> list[Publication]:
    """Every event type with the services that act on it, in the order of the registry."""
    return [
        Publication(
            event_class,
            tuple(each.name for each in services if acts_on(each.subscriptions, event_type)),
        )
        for event_type, event_class in event_classes().items()
    ]


def acts_on(subscriptions: Subscriptions, event_type: str) -> bool:
    """Whether the service does something with it; it may receive more, bound by the aggregate."""
    if event_type in subscriptions.handlers:
        return True
    if subscriptions.batch_handler is None:
        return False
    bound = [pattern.removesuffix("#") for pattern in subscriptions.queue.bindings]
    return any(event_type.startswith(prefix) for prefix in bound)


def all_services() -> list[Service]:
    return [service_named(name) for name in SERVICES]


def documents() -> dict[Path, str]:
    """Every generated document by its path below the project's folder."""
    services = all_services()
    published = publications(services)
    return {
        EVENTS: "\n".join(markdown(published)) + "\n",
        ASYNCAPI: _json(asyncapi(published, services)),
        **{OPENAPI / f"{each.name}.json": _json(openapi(each)) for each in services},
    }


def _json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


# -- Markdown ----------------------------------------------------------------------------------

_PREFACE = """# Published events

Written by `minqing events --write` from `shared/events` and the services' subscriptions; do not
edit. How they travel is told in [messaging](messaging.md); the same for programs is
[asyncapi.json](asyncapi.json).

The type is also the routing key. Facts of one subject of one aggregate (`<service>.<aggregate>`)
are numbered from 1 without holes. Within a version fields are only added, with a default; readers
ignore fields that they do not know. Instants are ISO 8601 in UTC, coordinates WGS 84, durations
seconds. Personal data never travel: callers and accounts are opaque ids."""


def markdown(published: list[Publication]) -> Iterator[str]:
    yield _PREFACE
    yield from (
        "",
        "## Who tells what to whom",
        "",
        "| event | what | acted on by |",
        "| --- | --- | --- |",
    )
    for each in published:
        consumers = ", ".join(each.consumers) or "nobody yet"
        yield f"| [`{each.type}`](#{_anchor(each.type)}) | {each.summary} | {consumers} |"
    yield from (
        "",
        "## The envelope",
        "",
        "A CloudEvents 1.0 document in structured JSON; the same bytes in every delivery.",
        "",
    )
    yield from _field_table(Envelope.model_json_schema(), _attributes(Envelope))
    for publisher, group in groupby(published, key=lambda each: each.publisher):
        yield from ("", f"## {publisher}")
        for each in group:
            yield from _event_section(each)
    yield from ("", "## Values that events share", "")
    yield from _value_sections(published)


def _event_section(each: Publication) -> Iterator[str]:
    schema = each.event_class.model_json_schema()
    yield from ("", f"### {each.type}", "", each.summary, "")
    yield f"Acted on by: {', '.join(each.consumers) or 'nobody yet'}."
    yield ""
    yield from _field_table(schema)
    example = json.dumps(example_of(each.event_class), ensure_ascii=False, indent=2)
    yield from ("", "<details><summary>Example of <code>data</code></summary>", "", "```json")
    yield from (example, "```", "", "</details>")


def _value_sections(published: list[Publication]) -> Iterator[str]:
    values: Document = {}
    for each in published:
        values |= each.event_class.model_json_schema().get("$defs", {})
    for name, schema in sorted(values.items()):
        yield from (f"### {name}", "", *_paragraph(schema.get("description")))
        if "enum" in schema:
            yield "One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + "."
        else:
            yield from _field_table({**schema, "$defs": values})
        yield ""


def _paragraph(text: str | None) -> list[str]:
    return [text.replace("\n", " "), ""] if text else []


def _attributes(documented: type) -> dict[str, str]:
    """The meanings that a docstring gives to attributes, by name."""
    return dict(re.findall(r"^ {8}(\w+): (.+)$", documented.__doc__ or "", re.MULTILINE))


def _field_table(schema: Document, meanings: dict[str, str] | None = None) -> Iterator[str]:
    yield from ("| field | kind | always | meaning |", "| --- | --- | --- | --- |")
    definitions, required = schema.get("$defs", {}), schema.get("required", [])
    for name, field in schema["properties"].items():
        always = "yes" if name in required else _default(field)
        meaning = (meanings or {}).get(name) or _meaning(field, definitions)
        yield f"| `{name}` | {_kind(field)} | {always} | {meaning} |"


def _meaning(field: Document, definitions: Document) -> str:
    said = field.get("description")
    if not said and "$ref" in field:
        said = definitions[_name(field)].get("description", "")
    words = (said or "").replace("\n", " ").replace("|", "\\|")
    if "examples" in field and field.get("format") != "date-time":
        example = json.dumps(field["examples"][0], ensure_ascii=False).strip('"')
        words = f"{words}; e.g. `{example}`" if words else f"e.g. `{example}`"
    return words


def _default(field: Document) -> str:
    default = field.get("default")
    return "optional" if default in (None, [], ()) else f"else `{json.dumps(default)}`"


def _kind(field: Document) -> str:
    if "$ref" in field:
        return f"[{_name(field)}](#{_anchor(_name(field))})"
    if "anyOf" in field:
        return " or ".join(_kind(choice) for choice in field["anyOf"])
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}"
    format_ = field.get("format", "")
    kind = str({"date-time": "instant", "uuid": "UUID"}.get(format_, field["type"]))
    return kind + _bounds(field)


def _bounds(field: Document) -> str:
    words = {"minimum": "at least", "maximum": "at most", "maxLength": "up to"}
    said = [f"{word} {field[key]}" for key, word in words.items() if key in field]
    if "pattern" in field:
        said.append(f"like `{field['pattern']}`")
    if "const" in field:
        said.append(f"`{field['const']}`")
    return f" ({', '.join(said)})" if said else ""


def _name(field: Document) -> str:
    name: str = field["$ref"].rsplit("/", 1)[1]
    return name


def _anchor(heading: str) -> str:
    return heading.lower().replace(".", "")


# -- AsyncAPI ----------------------------------------------------------------------------------


def asyncapi(published: list[Publication], services: list[Service]) -> Document:
    """The events as an AsyncAPI 3 document: a channel for each routing key."""
    _, definitions = models_json_schema(
        [*((each.event_class, "validation") for each in published), (Envelope, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Minqing events",
            "version": "1",
            "description": "What the services of the case pipeline of a city district tell each"
            " other. Delivery is at least once; facts of one subject are numbered.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "rabbitmq": {
                "host": "rabbitmq:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ 3.10 to 4.x; inside the installation only.",
            }
        },
        "channels": {each.type: _channel(each) for each in published},
        "operations": dict(_operations(published, services)),
        "components": {
            "messages": {each.type: _message(each) for each in published},
            "schemas": dict(sorted(definitions["$defs"].items())),
        },
    }


def _channel(each: Publication) -> Document:
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": each.type,
        "summary": each.summary,
        "servers": [{"$ref": "#/servers/rabbitmq"}],
        "messages": {each.type: {"$ref": f"#/components/messages/{each.type}"}},
        "bindings": {
            "amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": BINDING_VERSION}
        },
    }


def _message(each: Publication) -> Document:
    data = {"$ref": f"#/components/schemas/{each.event_class.__name__}"}
    fixed = {
        "type": {"const": each.type},
        "source": {"const": f"/{each.publisher}"},
        "dataschema": {"const": SCHEMA_BASE + each.type},
        "data": data,
    }
    example = json.loads(example_envelope(each.event_class).to_bytes())
    return {
        "name": each.type,
        "title": each.event_class.__name__,
        "summary": each.summary,
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": fixed},
            ]
        },
        "examples": [{"payload": example}],
    }


def _operations(
    published: list[Publication], services: list[Service]
) -> Iterator[tuple[str, Document]]:
    for each in published:
        yield f"{each.publisher}.send.{each.type}", _operation("send", each, each.publisher)
    for service in services:
        queue = service.subscriptions.queue.name
        for each in published:
            if service.name in each.consumers:
                operation = _operation("receive", each, service.name)
                operation["description"] = f"From the quorum queue `{queue}`."
                yield f"{service.name}.receive.{each.type}", operation


def _operation(action: str, each: Publication, service: str) -> Document:
    channel = f"#/channels/{each.type}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": f"{service} {'tells' if action == 'send' else 'acts on'} it.",
        "tags": [{"name": service}],
        "messages": [{"$ref": f"{channel}/messages/{each.type}"}],
    }


# -- OpenAPI -----------------------------------------------------------------------------------


def openapi(service: Service) -> Document:
    """The HTTP API of a service; made without a database, a bus or a city."""
    settings = settings_of(service.name, database_url="sqlite+aiosqlite:///never-opened.db")
    runtime = Runtime(
        service=service,
        settings=settings,
        clock=SystemClock(),
        database=Database(settings.database_url.get_secret_value()),
        pack=cast("CityPack", None),  # read by requests only, and none is made
        transport=MemoryTransport(MemoryExchange()),
        verifier=TokenVerifier(StaticKeys({})),
    )
    document = create_service_app(runtime).openapi()
    document["servers"] = [{"url": f"/api/{service.name}/v1"}]
    return document
