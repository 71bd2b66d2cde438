"""Working time on the command line: deadlines, durations and their explanation."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import InvalidInput, MinqingError
from shared.worktime import (
    Calendar,
    Explanation,
    Limit,
    explain_due,
    explain_elapsed,
    load_calendar,
    parse_instant,
)
from shared.worktime.limits import seconds_text

app = typer.Typer(
    help="Compute with a city's working time.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

EXIT_REFUSED = 2
_MOST_SHOWN = 20
_COLUMNS = 2

PackOption = Annotated[
    Path,
    typer.Option("--pack", help="City pack directory, or a calendar.toml itself."),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start",
        help="ISO 8601, such as 2026-09-30T16:50:00+08:00; without an offset it is local time.",
    ),
]
EndOption = Annotated[str | None, typer.Option("--end", help="ISO 8601, like --start.")]
LimitOption = Annotated[
    str | None,
    typer.Option(
        "--limit",
        help='A number and one of working-hours, working-days, hours, days, minutes: "0.5 days".',
    ),
]
BatchOption = Annotated[
    str | None,
    typer.Option(
        "--batch",
        metavar="FILE",
        help="CSV without header, one question a line; - reads standard input.",
    ),
]
ProvisionalOption = Annotated[
    bool,
    typer.Option(
        "--provisional",
        help="Where a year's holiday notice is not known, go by the statutory days alone.",
    ),
]


@app.command()
def due(
    *,
    pack: PackOption,
    start: StartOption = None,
    limit: LimitOption = None,
    batch: BatchOption = None,
    provisional: ProvisionalOption = False,
) -> None:
    """Print the instant at which a limit runs out.

    With --batch the lines are start,limit and there is one answer a line, in order; nothing is
    printed unless every line can be answered.
    """
    with _refusals():
        calendar = load_calendar(pack)

        def answer(start: str, limit: str) -> str:
            begin = parse_instant(start, calendar.zone)
            found = calendar.due(begin, Limit.parse(limit), provisional=provisional)
            return found.instant.isoformat()

        _answer("--limit", start, limit, batch, answer)


@app.command()
def elapsed(
    *,
    pack: PackOption,
    start: StartOption = None,
    end: EndOption = None,
    batch: BatchOption = None,
    provisional: ProvisionalOption = False,
) -> None:
    """Print the working seconds between two instants.

    With --batch the lines are start,end and there is one answer a line, in order; nothing is
    printed unless every line can be answered.
    """
    with _refusals():
        calendar = load_calendar(pack)

        def answer(start: str, end: str) -> str:
            begin, finish = (parse_instant(text, calendar.zone) for text in (start, end))
            return seconds_text(calendar.elapsed(begin, finish, provisional=provisional))

        _answer("--end", start, end, batch, answer)


@app.command()
def explain(
    *,
    pack: PackOption,
    start: StartOption = None,
    limit: LimitOption = None,
    end: EndOption = None,
    provisional: ProvisionalOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    language: Annotated[str, typer.Option("--language", help="zh or en.")] = "en",
) -> None:
    """Print the days and spans that counted, towards a --limit or up to an --end."""
    with _refusals():
        if start is None or (limit is None) == (end is None):
            raise InvalidInput("give --start, and either --limit or --end")
        if language not in ("zh", "en"):
            raise InvalidInput(f'unknown language "{language}": choose zh or en')
        calendar = load_calendar(pack)
        explanation = _explanation(calendar, start, limit, end, provisional=provisional)
        if as_json:
            typer.echo(json.dumps(explanation.as_json(), ensure_ascii=False, indent=2))
        else:
            typer.echo(explanation.words(language))


def _explanation(
    calendar: Calendar, start: str, limit: str | None, end: str | None, *, provisional: bool
) -> Explanation:
    begin = parse_instant(start, calendar.zone)
    if limit is not None:
        return explain_due(calendar, begin, Limit.parse(limit), provisional=provisional)
    finish = parse_instant(end or "", calendar.zone)
    return explain_elapsed(calendar, begin, finish, provisional=provisional)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn an expected failure into a message on standard error and exit code 2."""
    try:
        yield
    except MinqingError as error:
        typer.echo(f"error: {error.message}", err=True)
        raise typer.Exit(EXIT_REFUSED) from None


def _answer(
    second_name: str,
    first: str | None,
    second: str | None,
    batch: str | None,
    answer: Callable[[str, str], str],
) -> None:
    if batch is not None:
        if first is not None or second is not None:
            raise InvalidInput(
                f"--batch brings its own questions: leave out --start and {second_name}"
            )
        answers = _answer_batch(batch, answer)
        sys.stdout.write("".join(f"{line}\n" for line in answers))
    elif first is None or second is None:
        raise InvalidInput(f"give --start and {second_name}, or --batch")
    else:
        typer.echo(answer(first, second))


def _answer_batch(batch: str, answer: Callable[[str, str], str]) -> list[str]:
    answers: list[str] = []
    faults: list[str] = []
    for number, row in _questions(batch):
        try:
            if len(row) != _COLUMNS:
                raise InvalidInput(f"needs two values with a comma between, has {len(row)}")
            answers.append(answer(*row))
        except MinqingError as error:
            faults.append(f"line {number}: {error.message}")
    if faults:
        more = len(faults) - _MOST_SHOWN
        shown = faults[:_MOST_SHOWN] + ([f"and {more} more lines"] if more > 0 else [])
        raise InvalidInput("\n".join(shown))
    return answers


def _questions(batch: str) -> list[tuple[int, list[str]]]:
    """Rows with their line numbers; empty lines at the end are no questions."""
    try:
        if batch == "-":
            rows = _rows(sys.stdin)
        else:
            with Path(batch).open(encoding="utf-8-sig", newline="") as file:
                rows = _rows(file)
    except OSError as error:
        raise InvalidInput(f"cannot read {batch}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"cannot read {batch}: it is not UTF-8 text") from None
    while rows and not rows[-1][1]:
        rows.pop()
    return rows


def _rows(lines: Iterable[str]) -> list[tuple[int, list[str]]]:
    reader = csv.reader(lines, skipinitialspace=True)
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"line {reader.line_num}: not CSV: {error}") from None
