"""What was published stays readable: no event changes in a way that a reader would stumble over."""

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, Field, ValidationError
from typer.testing import CliRunner

from services.commands.event_documents import asyncapi, publications
from services.commands.events import GOLDEN, NEW_VERSION, ROOT, app
from shared.db import kernel_tables, service_metadata
from shared.errors import MinqingError
from shared.events import Event, event_classes, read_event
from shared.events.compatibility import breaks, contract_of
from shared.events.examples import example_envelope, example_of
from shared.inbox.subscriptions import Subscriptions
from shared.service import Service

TYPE = re.compile(r"(identity|hotline|intake|dispatch|assessment)(\.[a-z_]+){2}\.v[1-9][0-9]*")
runner = CliRunner()


def _published() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_bytes()) for path in (ROOT / GOLDEN).glob("*.json")}


# -- the events of this project ----------------------------------------------------------------


@pytest.mark.parametrize("event_type", sorted(_published().keys() | event_classes().keys()))
def test_a_published_event_keeps_its_form(event_type: str) -> None:
    published, event_class = _published().get(event_type), event_classes().get(event_type)

    assert event_class is not None, f"{event_type} is gone or was renamed. {NEW_VERSION}"
    assert published is not None, f"{event_type} is new: run minqing events --accept"
    contract = contract_of(event_class)
    faults = [str(fault) for fault in breaks(published, contract)]
    assert not faults, f"{event_type}: {faults}. {NEW_VERSION}"
    assert published == contract, f"{event_type} has new fields: run minqing events --accept"


@pytest.mark.parametrize("event_class", event_classes().values(), ids=lambda each: each.TYPE)
def test_an_event_is_named_after_its_publisher_and_says_what_happened(
    event_class: type[Event],
) -> None:
    assert TYPE.fullmatch(event_class.TYPE)
    assert event_class.__module__ == f"shared.events.{event_class.TYPE.split('.')[0]}"
    assert event_class.__doc__
    assert len(event_class.TYPE) <= 120, "the outbox has no more room for it"


@pytest.mark.parametrize("event_class", event_classes().values(), ids=lambda each: each.TYPE)
def test_the_example_of_an_event_travels_and_is_read_as_that_event(
    event_class: type[Event],
) -> None:
    envelope = example_envelope(event_class)

    arrived = type(envelope).from_bytes(envelope.to_bytes())

    event = read_event(arrived)
    assert type(event) is event_class
    assert event.model_dump(mode="json") == example_of(event_class)
    assert "…" not in json.dumps(arrived.data), "a field needs an example"


# -- planted breaks: each has a document that one form reads and the other refuses --------------


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class FewerColours(StrEnum):
    RED = "red"


class Pole(BaseModel):
    height_m: float


class PoleRenamed(BaseModel):
    height: float


class Lamp(Event):
    TYPE: ClassVar[str] = "intake.lamp.lit.v1"

    street: str
    watts: int | None = None


class LampWithColour(Lamp):
    colour: Colour


class LampWithPole(Lamp):
    pole: Pole | None = None
    others: tuple[Pole, ...] = ()


def _changed(base: type[Event], /, **fields: Any) -> type[Event]:
    """The event with some fields declared anew."""
    annotations = {name: kind for name, (kind, _) in fields.items()}
    defaults = {name: default for name, (_, default) in fields.items() if default is not ...}
    return type(base.__name__, (base,), {"__annotations__": annotations, **defaults})


class LampRenamed(Event):
    TYPE: ClassVar[str] = Lamp.TYPE

    road: str
    watts: int | None = None


class LampWithoutWatts(Event):
    TYPE: ClassVar[str] = Lamp.TYPE

    street: str


SHORT = Annotated[str, Field(max_length=5)]
LETTERS = Annotated[str, Field(pattern="^[a-z]+$")]
AT_LEAST_TEN = Annotated[int, Field(ge=10)]

BREAKS = {
    "renamed field": (Lamp, LampRenamed, "data.street", {"street": "a"}),
    "optional became required": (
        Lamp,
        _changed(Lamp, watts=(int | None, ...)),
        "data.watts",
        {"street": "a"},
    ),
    "required became optional": (
        Lamp,
        _changed(Lamp, street=(str, "")),
        "data.street",
        {},
    ),
    "new field without a default": (
        Lamp,
        _changed(Lamp, colour=(Colour, ...)),
        "data.colour",
        {"street": "a"},
    ),
    "other type": (Lamp, _changed(Lamp, street=(int, ...)), "data.street", {"street": "a"}),
    "null no longer allowed": (
        Lamp,
        _changed(Lamp, watts=(int, 0)),
        "data.watts",
        {"street": "a", "watts": None},
    ),
    "null allowed now": (
        Lamp,
        _changed(Lamp, street=(str | None, ...)),
        "data.street",
        {"street": None},
    ),
    "value removed": (
        LampWithColour,
        _changed(LampWithColour, colour=(FewerColours, ...)),
        "data.colour",
        {"street": "a", "colour": "green"},
    ),
    "value added": (
        _changed(LampWithColour, colour=(FewerColours, ...)),
        LampWithColour,
        "data.colour",
        {"street": "a", "colour": "green"},
    ),
    "shorter text": (
        Lamp,
        _changed(Lamp, street=(SHORT, ...)),
        "data.street",
        {"street": "西津西路东段"},
    ),
    "longer text": (
        _changed(Lamp, street=(SHORT, ...)),
        Lamp,
        "data.street",
        {"street": "西津西路东段"},
    ),
    "pattern": (Lamp, _changed(Lamp, street=(LETTERS, ...)), "data.street", {"street": "A1"}),
    "narrower number": (
        Lamp,
        _changed(Lamp, watts=(AT_LEAST_TEN | None, None)),
        "data.watts",
        {"street": "a", "watts": 3},
    ),
    "renamed field of a value": (
        LampWithPole,
        _changed(LampWithPole, pole=(PoleRenamed | None, None)),
        "data.pole.height_m",
        {"street": "a", "pole": {"height_m": 4}},
    ),
    "renamed field of a value in a list": (
        LampWithPole,
        _changed(LampWithPole, others=(tuple[PoleRenamed, ...], ())),
        "data.others[].height_m",
        {"street": "a", "others": [{"height_m": 4}]},
    ),
    "list instead of one": (
        LampWithPole,
        _changed(LampWithPole, pole=(tuple[Pole, ...] | None, None)),
        "data.pole",
        {"street": "a", "pole": {"height_m": 4}},
    ),
}


def _reads(event_class: type[Event], data: dict[str, Any]) -> bool:
    try:
        event_class.model_validate(data)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("old", "new", "where", "data"), BREAKS.values(), ids=BREAKS.keys())
def test_a_planted_break_is_found_and_is_one(
    old: type[Event], new: type[Event], where: str, data: dict[str, Any]
) -> None:
    found = list(breaks(contract_of(old), contract_of(new)))

    assert any(fault.where.startswith(where) for fault in found), found
    assert _reads(old, data) != _reads(new, data), "this would be no break for anybody"


def test_a_removed_optional_field_is_a_break() -> None:
    """Its readers would not refuse the event but silently take the default for the truth."""
    found = list(breaks(contract_of(Lamp), contract_of(LampWithoutWatts)))

    assert [fault.where for fault in found] == ["data.watts"]


def test_another_default_is_a_break() -> None:
    """The same stored event would say something else."""
    five, nine = _changed(Lamp, watts=(int, 5)), _changed(Lamp, watts=(int, 9))

    found = list(breaks(contract_of(five), contract_of(nine)))

    assert [str(fault) for fault in found] == ["data.watts: default was 5, is 9"]


def test_another_type_is_a_break() -> None:
    renamed = type("Lamp", (Lamp,), {"TYPE": "intake.lamp.lit.v2"})

    assert [fault.what.split()[0] for fault in breaks(contract_of(Lamp), contract_of(renamed))] == [
        "$id"
    ]


@pytest.mark.parametrize(
    "new",
    [
        _changed(Lamp, colour=(Colour | None, None)),
        _changed(Lamp, street=(Annotated[str, Field(description="where it is")], ...)),
        _changed(Lamp, street=(Annotated[str, Field(examples=["西津西路"])], ...)),
        _changed(Lamp, title=(str, "")),
    ],
    ids=["optional field", "description", "example", "field called title"],
)
def test_an_added_field_with_a_default_and_better_words_are_no_break(new: type[Event]) -> None:
    assert list(breaks(contract_of(Lamp), contract_of(new))) == []


def test_a_field_called_like_a_word_for_people_is_part_of_the_contract() -> None:
    titled = _changed(Lamp, title=(str, ""))

    assert [fault.where for fault in breaks(contract_of(titled), contract_of(Lamp))] == [
        "data.title"
    ]


# -- the command -------------------------------------------------------------------------------


def _know(monkeypatch: pytest.MonkeyPatch, *known: type[Event]) -> None:
    found = {each.TYPE: each for each in known}
    monkeypatch.setattr("shared.events.registry.event_classes", lambda: found)


def _accepted(folder: Path) -> set[str]:
    return {path.stem for path in (folder / GOLDEN).glob("*.json")}


def test_accept_takes_new_types_and_added_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _know(monkeypatch, Lamp)
    first = runner.invoke(app, ["--accept", "--folder", str(tmp_path)])
    _know(monkeypatch, _changed(Lamp, colour=(Colour | None, None)))
    second = runner.invoke(app, ["--accept", "--folder", str(tmp_path)])
    third = runner.invoke(app, ["--accept", "--folder", str(tmp_path)])

    assert (first.exit_code, second.exit_code, third.exit_code) == (0, 0, 0)
    assert first.output == second.output == f"accepted: {Lamp.TYPE}\n"
    assert third.output == ""
    assert "colour" in (tmp_path / GOLDEN / f"{Lamp.TYPE}.json").read_text()


def test_accept_refuses_a_break_and_then_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _know(monkeypatch, Lamp)
    runner.invoke(app, ["--accept", "--folder", str(tmp_path)])
    other = type("LampDark", (Lamp,), {"TYPE": "intake.lamp.dark.v1"})
    _know(monkeypatch, _changed(Lamp, watts=(int | None, ...)), other)
    refused = runner.invoke(app, ["--accept", "--folder", str(tmp_path)])

    assert isinstance(refused.exception, MinqingError)
    assert "intake.lamp.lit.v1: data.watts: was optional" in refused.exception.message
    assert "new version beside the old" in refused.exception.message
    assert _accepted(tmp_path) == {Lamp.TYPE}


def test_accept_refuses_to_forget_a_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _know(monkeypatch, Lamp)
    runner.invoke(app, ["--accept", "--folder", str(tmp_path)])
    _know(monkeypatch)
    refused = runner.invoke(app, ["--accept", "--folder", str(tmp_path)])

    assert isinstance(refused.exception, MinqingError)
    assert "the type is gone" in refused.exception.message
    assert _accepted(tmp_path) == {Lamp.TYPE}


def test_show_prints_schema_and_example() -> None:
    shown = runner.invoke(app, ["show", "dispatch.case.closed.v1"])

    document = json.loads(shown.stdout)
    assert document["schema"]["properties"]["closed_at"]["format"] == "date-time"
    assert document["example"]["type"] == "dispatch.case.closed.v1"


def test_show_names_what_was_probably_meant() -> None:
    refused = runner.invoke(app, ["show", "dispatch.case.close.v1"])

    assert isinstance(refused.exception, MinqingError)
    assert "dispatch.case.closed.v1" in refused.exception.message


# -- the documents -----------------------------------------------------------------------------


def _service(subscriptions: Subscriptions) -> Service:
    metadata = service_metadata()
    return Service(
        name=subscriptions.consumer,
        summary="",
        metadata=metadata,
        tables=kernel_tables(metadata),
        routers=[],
        subscriptions=subscriptions,
    )


async def _ignore(*_: object) -> None:
    """Handles nothing."""


@pytest.fixture
def two_services() -> list[Service]:
    dispatch = Subscriptions("dispatch")
    dispatch.on(event_classes()["intake.report.registered.v1"])(_ignore)
    assessment = Subscriptions("assessment", ordered=False)
    assessment.everything(["intake"])(_ignore)
    return [_service(dispatch), _service(assessment)]


def test_consumers_are_those_who_act_on_it_not_those_who_step_over_it(
    two_services: list[Service],
) -> None:
    consumers = {each.type: each.consumers for each in publications(two_services)}

    assert consumers["intake.report.registered.v1"] == ("dispatch", "assessment")
    assert consumers["intake.report.received.v1"] == ("assessment",)
    assert consumers["hotline.call.ended.v1"] == ()


def test_every_reference_of_the_asyncapi_document_leads_somewhere(
    two_services: list[Service],
) -> None:
    document = asyncapi(publications(two_services), two_services)

    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))
    assert len(references) > len(event_classes())
    for reference in references:
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
    operations = document["operations"]
    assert "dispatch.receive.intake.report.registered.v1" in operations
    assert "dispatch.receive.intake.report.received.v1" not in operations
    assert operations["intake.send.intake.report.received.v1"]["action"] == "send"


def test_check_names_the_document_that_is_out_of_step(tmp_path: Path) -> None:
    written = runner.invoke(app, ["--write", "--folder", str(tmp_path)])
    in_step = runner.invoke(app, ["--check", "--folder", str(tmp_path)])
    (tmp_path / "docs" / "openapi" / "intake.json").write_text("{}")
    (tmp_path / "docs" / "events.md").unlink()
    behind = runner.invoke(app, ["--check", "--folder", str(tmp_path)])

    assert "written: docs/asyncapi.json" in written.output
    assert in_step.exit_code == 0, in_step.output
    assert behind.exit_code == 1
    assert "docs/openapi/intake.json is not what the code says" in behind.output
    assert "docs/events.md is not what the code says" in behind.output
    assert "asyncapi" not in behind.output
