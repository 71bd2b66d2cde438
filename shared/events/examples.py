"""One valid example of every event, made of the examples that its fields carry."""

from typing import Any
from uuid import UUID, uuid5

from shared.events.envelope import SCHEMA_BASE, Envelope, Event

HAPPENED_AT = "2026-09-30T08:50:00Z"

_NAMESPACE = UUID("5b0f6a3e-9d0c-7c1e-8a53-62c1f1a0e311")
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c0f0b56a1b7"

# For fields that carry no example of their own, by name.
_BY_NAME: dict[str, Any] = {
    "added_seconds": 7_200,
    "agent": "0198a5c2-6f6e-7c31-9a6e-3f1d2b7c8e90",
    "approved_by": "0198a5c2-7011-7d52-8b0f-6c2e4d9f1a23",
    "basis": "责任清单第 12 项",
    "by_rule": "trusted-collector",
    "case_number": "6201032026093000017",
    "channel": "app",
    "collector": "collector-xz-01",
    "conclusion": "井盖已更换，路面恢复通行。",
    "condition": "01001-1",
    "description": "人行道上一处供水井盖缺失，已临时围挡。",
    "distance_m": 12.0,
    "external_id": "PX-2026-000123",
    "grid": "620103005001001",
    "grids": ["620103005001001"],
    "knowledge_id": "manhole-missing",
    "limit_seconds": 14_400,
    "note": "现场已恢复。",
    "precedent": "同类同网格案卷由该单位处置",
    "reason": "现场情况与记录不符，详见照片。",
    "report_number": "R2026093000017",
    "reporter_id": "collector-xz-01",
    "seconds": 132.0,
    "seconds_to_answer": 6.5,
    "standard": "井盖齐全、稳固，与路面平齐。",
    "suggested_unit": "620103-swj",
    "unit": "620103-cgj",
    "used_seconds": 5_400,
}
_NUMBERS = {"hotline": "H2026093000017", "intake": "R2026093000017"}


def example_of(event_class: type[Event]) -> dict[str, Any]:
    """Data of an event, every field filled in; it fits the event's schema."""
    schema = event_class.model_json_schema()
    publisher = event_class.TYPE.split(".")[0]
    by_name = {**_BY_NAME, "number": _NUMBERS.get(publisher, _BY_NAME["case_number"])}
    example: dict[str, Any] = _Maker(schema.get("$defs", {}), by_name).value("data", schema)
    return event_class.model_validate(example).model_dump(mode="json")


def example_envelope(event_class: type[Event]) -> Envelope:
    """The same as it travels."""
    publisher = event_class.TYPE.split(".")[0]
    return Envelope(
        id=_uuid7("event"),
        source=f"/{publisher}",
        type=event_class.TYPE,
        time=HAPPENED_AT,
        subject=str(_uuid7(event_class.aggregate())),
        dataschema=SCHEMA_BASE + event_class.TYPE,
        sequence=1,
        correlationid=str(_uuid7("story")),
        causationid=str(_uuid7("cause")),
        actorid=str(_uuid7("actor")),
        actorrole="operator",
        data=example_of(event_class),
    )


class _Maker:
    def __init__(self, definitions: dict[str, Any], by_name: dict[str, Any]) -> None:
        self._definitions = definitions
        self._by_name = by_name

    def value(self, name: str, schema: dict[str, Any]) -> Any:
        """A value for a field of this name that fits this schema."""
        schema = self._resolved(schema)
        if told := schema.get("examples") or schema.get("enum"):
            return told[0]
        if "anyOf" in schema:
            return self.value(name, schema["anyOf"][0])
        if schema["type"] == "object":
            return {part: self.value(part, of) for part, of in schema["properties"].items()}
        if name in self._by_name and "format" not in schema:
            return self._by_name[name]
        return [self.value(name, schema["items"])] if "items" in schema else _plain(name, schema)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a reference points at; what stands beside it goes before."""
        beside = dict(schema)
        reference = beside.pop("$ref", "").rsplit("/", 1)[-1]
        return {**self._definitions.get(reference, {}), **beside}


def _plain(name: str, schema: dict[str, Any]) -> Any:
    match schema["type"]:
        case "boolean":
            return schema.get("default", True)
        case "integer" | "number":
            return schema.get("minimum", 1)
    match schema.get("format"):
        case "uuid":
            return str(_uuid7(name))
        case "date-time":
            return HAPPENED_AT
    return _SHA256 if "pattern" in schema else "…"


def _uuid7(name: str) -> UUID:
    """Always the same identifier for a name, in the form of those that the services make."""
    value = uuid5(_NAMESPACE, name).int
    made_at = 0x0199_9B2D_4A40 << 80
    return UUID(int=made_at | (value & ((1 << 80) - 1)) & ~(0xF << 76) | 0x7 << 76)
