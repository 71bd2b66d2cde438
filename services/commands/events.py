"""`minqing events`: what the services tell each other, and the documents written from it."""

import difflib
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.errors import InvalidInput

app = typer.Typer()

ROOT = Path(__file__).parents[2]
GOLDEN = Path("tests/contracts/golden")
EXIT_OUT_OF_STEP = 1

NEW_VERSION = (
    "Readers and stored events rely on it: make a new version beside the old (TYPE …v2, both told"
    " with the same facts) and leave the old class as it was."
)


class UnknownEventType(InvalidInput):
    code = "unknown-event-type"


class BreakingChange(InvalidInput):
    """A published event has changed in a way that some reader would stumble over."""

    code = "breaking-event-change"


@app.callback(invoke_without_command=True)
def events(
    context: typer.Context,
    *,
    write: Annotated[bool, typer.Option("--write", help="Write the generated documents.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare them; exit code 1 when out of step.")
    ] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take new types and added fields as published.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="The project's folder.")] = ROOT,
) -> None:
    """Show which service tells what, and who acts on it.

    Documents: docs/events.md, docs/asyncapi.json, docs/openapi/*.json. Published forms are kept in
    tests/contracts/golden; a breaking change is never accepted.
    """
    if context.invoked_subcommand is not None:
        return
    if accept:
        _accept(folder)
    if write:
        _write(folder)
    if check:
        _check(folder)
    if not (accept or write or check):
        _show_all()


@app.command()
def show(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="e.g. dispatch.case.closed.v1")],
) -> None:
    """Print the JSON Schema of an event's data, and one whole event as an example."""
    from shared.events.examples import example_envelope
    from shared.events.registry import event_classes

    known = event_classes()
    if event_type not in known:
        near = difflib.get_close_matches(event_type, known, n=3, cutoff=0.4)
        meant = f" Did you mean {', '.join(near)}?" if near else ""
        raise UnknownEventType(f"There is no event type {event_type}.{meant}")
    event_class = known[event_type]
    example = json.loads(example_envelope(event_class).to_bytes())
    shown = {"schema": event_class.model_json_schema(), "example": example}
    typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))


def _show_all() -> None:
    from services.commands.event_documents import all_services, publications

    table = Table(title="Published events", title_justify="left")
    for column in ("publisher", "type", "what", "acted on by"):
        table.add_column(column, no_wrap=column == "type")
    for each in publications(all_services()):
        table.add_row(each.publisher, each.type, each.summary, ", ".join(each.consumers))
    Console().print(table)


def _write(folder: Path) -> None:
    from services.commands.event_documents import documents

    for path, text in documents().items():
        target = folder / path
        if target.exists() and target.read_text(encoding="utf-8") == text:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        typer.echo(f"written: {path}")


def _check(folder: Path) -> None:
    from services.commands.event_documents import documents

    behind = [
        path
        for path, text in documents().items()
        if not (folder / path).exists() or (folder / path).read_text(encoding="utf-8") != text
    ]
    for path in behind:
        typer.echo(f"{path} is not what the code says: run minqing events --write", err=True)
    if behind:
        raise typer.Exit(EXIT_OUT_OF_STEP)
    typer.echo("generated documents are in step")


def _accept(folder: Path) -> None:
    """Refresh the published forms, all or, if one of them breaks, none."""
    from shared.events.compatibility import breaks, contract_of
    from shared.events.registry import event_classes

    forms = {name: contract_of(event_class) for name, event_class in event_classes().items()}
    golden = folder / GOLDEN
    golden.mkdir(parents=True, exist_ok=True)
    published = {path.stem: json.loads(path.read_bytes()) for path in golden.glob("*.json")}
    faults = [
        f"{name}: {fault}"
        for name, old in sorted(published.items())
        for fault in (breaks(old, forms[name]) if name in forms else ["the type is gone"])
    ]
    if faults:
        raise BreakingChange("\n  ".join([*faults, NEW_VERSION]))
    for name, form in forms.items():
        if published.get(name) != form:
            text = json.dumps(form, ensure_ascii=False, indent=2) + "\n"
            (golden / f"{name}.json").write_text(text, encoding="utf-8")
            typer.echo(f"accepted: {name}")
