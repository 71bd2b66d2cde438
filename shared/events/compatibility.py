"""Whether a published event may take a new form: fields are added with a default, nothing else.

Services are deployed one after the other and stored events are sent again months later. So a form
must be readable by the programs of yesterday and must still read the events of yesterday. Wider is
as bad as narrower: what the new form alone allows, a reader that knows the old one refuses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.events.envelope import SCHEMA_BASE, Event

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# Words that say something to people and nothing to a validator.
_FOR_PEOPLE = frozenset({"title", "description", "examples"})
# Compared part by part; every other keyword must stay as it was.
_PARTS = frozenset({"properties", "required", "anyOf", "items"})

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Break:
    """One difference that somebody's reader would stumble over."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def contract_of(event_class: type[Event]) -> Schema:
    """What readers may rely on: the JSON Schema of the data, without references and prose."""
    schema = event_class.model_json_schema()
    contract: Schema = _bare(schema, schema.get("$defs", {}))
    return {"$schema": DIALECT, "$id": SCHEMA_BASE + event_class.TYPE, **contract}


def breaks(old: Schema, new: Schema, where: str = "data") -> Iterator[Break]:
    """Every difference between two contracts but an added field that has a default."""
    yield from _keyword_breaks(old, new, where)
    yield from _property_breaks(old, new, where)
    yield from _choice_breaks(old.get("anyOf", []), new.get("anyOf", []), where)
    if "items" in old and "items" in new:
        yield from breaks(old["items"], new["items"], f"{where}[]")
    elif "items" in old or "items" in new:
        yield Break(where, "what the list holds has changed")


def _keyword_breaks(old: Schema, new: Schema, where: str) -> Iterator[Break]:
    for keyword in sorted((old.keys() | new.keys()) - _PARTS):
        before, after = old.get(keyword), new.get(keyword)
        if before == after and (keyword in old) == (keyword in new):
            continue
        if keyword == "enum" and before and after:
            yield from _value_breaks(before, after, where)
        else:
            yield Break(where, f"{keyword} was {_said(old, keyword)}, is {_said(new, keyword)}")


def _value_breaks(old: list[Any], new: list[Any], where: str) -> Iterator[Break]:
    """The order of the values means nothing."""
    if gone := [value for value in old if value not in new]:
        yield Break(where, f"values removed: {_listed(gone)}")
    if added := [value for value in new if value not in old]:
        yield Break(where, f"values added that earlier readers refuse: {_listed(added)}")


def _property_breaks(old: Schema, new: Schema, where: str) -> Iterator[Break]:
    before, after = old.get("properties", {}), new.get("properties", {})
    was_required, is_required = set(old.get("required", ())), set(new.get("required", ()))
    for name, schema in before.items():
        field = f"{where}.{name}"
        if name not in after:
            yield Break(field, "the field is gone or has another name")
            continue
        if name in was_required - is_required:
            yield Break(field, "was always there, is optional: earlier readers need it")
        if name in is_required - was_required:
            yield Break(field, "was optional, is required: events sent before may lack it")
        yield from breaks(schema, after[name], field)
    for name in after:
        if name not in before and name in is_required:
            yield Break(
                f"{where}.{name}", "a new field needs a default: events sent before lack it"
            )


def _choice_breaks(old: list[Schema], new: list[Schema], where: str) -> Iterator[Break]:
    if len(old) != len(new):
        yield Break(where, f"allowed {len(old)} kinds of value, allows {len(new)}")
        return
    for before, after in zip(old, new, strict=True):
        yield from breaks(before, after, where)


def _bare(schema: Any, definitions: Schema) -> Any:
    if isinstance(schema, list):
        return [_bare(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rsplit("/", 1)[1]]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return _bare({**target, **beside}, definitions)
    return {key: _bare_keyword(key, value, definitions) for key, value in _for_programs(schema)}


def _bare_keyword(keyword: str, value: Any, definitions: Schema) -> Any:
    if keyword == "properties":  # its keys are field names: one may be called "title"
        return {name: _bare(field, definitions) for name, field in value.items()}
    return value if keyword == "default" else _bare(value, definitions)


def _for_programs(schema: Schema) -> Iterator[tuple[str, Any]]:
    return (item for item in schema.items() if item[0] not in _FOR_PEOPLE | {"$defs"})


def _said(schema: Schema, keyword: str) -> str:
    return repr(schema[keyword]) if keyword in schema else "not said"


def _listed(values: list[Any]) -> str:
    return ", ".join(map(str, values))
