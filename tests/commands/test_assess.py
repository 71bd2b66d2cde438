"""Scorecards from a file: exact, in a fixed form; refused with file, line and reason."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from services.commands.assess import assess
from tests.assessment.scoring.by_hand import scorecards_by_hand

app = typer.Typer()
app.command()(assess)

DOCUMENT = Path(__file__).parents[2] / "docs" / "assessment.md"
PARAMETERS = """\
zone = "Asia/Shanghai"
weights = { timely = 0.8, resolved = 0.2 }
allowance = { repeat = 0.03, deferral = 0.03, extension = 0.03 }
rank_minimum = 20
computed_at = 2026-06-05T00:00:00+08:00
"""
FIELDS = [
    "unit",
    "due",
    "resolved",
    "timely",
    "timely_rate",
    "resolution_rate",
    "score",
    "rank",
    "small_sample",
    "forgiven",
    "returned_to_other",
    "returns_refused",
    "repeated",
    "extended",
    "deferred",
    "false_feedback",
]
START = datetime(2026, 4, 30, 16, tzinfo=UTC)
END = datetime(2026, 5, 31, 16, tzinfo=UTC)
COMPUTED_AT = datetime(2026, 6, 4, 16, tzinfo=UTC)


def line(**other: Any) -> dict[str, Any]:
    return {
        "case": "1",
        "unit": "water",
        "due_at": "2026-05-20T17:30:00+08:00",
        "limit_seconds": 14_400,
        "used_seconds": 9_000,
        "closed_at": "2026-05-20T16:00:00+08:00",
        "extension_seconds": 0,
        "extension_granted_at": None,
        "deferral_seconds": 0,
        "deferral_granted_at": None,
        "second_dispatch_at": None,
        "dispatches": 1,
        "returned_to_same": 0,
        "returned_to_other": 0,
        "returns_refused": 0,
        "feedback_refused": 0,
        **other,
    }


def run(
    folder: Path,
    lines: str | bytes,
    *,
    parameters: str = PARAMETERS,
    period: str = "2026-05",
    stdin: bool = False,
) -> Result:
    written = folder / "parameters.toml"
    written.write_text(parameters, encoding="utf-8")
    file = folder / "assignments.jsonl"
    raw = lines.encode() if isinstance(lines, str) else lines
    file.write_bytes(raw)
    arguments = ["-" if stdin else str(file), "--period", period, "--parameters", str(written)]
    return CliRunner().invoke(app, arguments, input=raw if stdin else None)


def cards(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(card) for card in result.stdout.splitlines()]


def refusal(result: Result) -> str:
    assert result.exit_code == 2
    assert result.stdout == ""
    return result.stderr


@pytest.mark.parametrize("stdin", [True, False])
def test_the_worked_example_of_the_document_is_what_is_printed(tmp_path: Path, stdin: bool) -> None:  # noqa: FBT001
    blocks = re.findall(r"```(toml|jsonl)\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    (_, parameters), (_, lines), (_, answer) = blocks

    result = run(tmp_path, lines, parameters=parameters, stdin=stdin)

    assert result.stdout == answer
    assert "170/3 = **56.666667**" in DOCUMENT.read_text("utf-8")


def test_units_are_sorted_and_fields_have_their_order(tmp_path: Path) -> None:
    lines = "\n".join(
        json.dumps(line(case=str(number), unit=unit), ensure_ascii=False)
        for number, unit in enumerate(["water", "环卫局", "Zoo", "a"])
    )

    result = run(tmp_path, "\ufeff" + lines)

    found = cards(result)
    assert [card["unit"] for card in found] == ["Zoo", "a", "water", "环卫局"]
    assert all(list(card) == FIELDS for card in found)
    assert list(found[0]["forgiven"]) == ["repeat", "deferral", "extension"]


@pytest.mark.parametrize(
    ("period", "due"), [("2026-05", 1), ("2026-Q2", 2), ("2026", 3), ("2026-07", 1), ("2025", 0)]
)
def test_periods_are_local_to_the_zone(tmp_path: Path, period: str, due: int) -> None:
    instants = ["2026-05-31T15:59:59.999999Z", "2026-05-31T16:00:00Z", "2026-07-01T00:00:00+08:00"]
    lines = [line(case=str(number), due_at=at) for number, at in enumerate(instants)]

    (card,) = cards(run(tmp_path, "\n".join(map(json.dumps, lines)), period=period))

    assert card["due"] == due
    assert (card["score"] is None) == (due == 0)


def test_what_closed_after_the_figures_were_computed_is_not_resolved(tmp_path: Path) -> None:
    lines = [
        line(case="1", closed_at="2026-06-05T00:00:00+08:00"),
        line(case="2", closed_at="2026-06-04T16:00:00.000001Z"),
    ]

    (card,) = cards(run(tmp_path, "\n".join(map(json.dumps, lines))))

    assert (card["due"], card["resolved"], card["timely"]) == (2, 1, 1)


def test_no_lines_make_no_scorecards(tmp_path: Path) -> None:
    assert cards(run(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"due_at": "2026-05-20T17:30:00"}, "due_at needs an offset"),
        ({"due_at": "2026-05-20"}, "due_at must be date, T and time"),
        ({"due_at": "2026-05-20 17:30:00+08:00"}, "due_at must be date, T and time"),
        ({"due_at": "2026-05-32T17:30:00+08:00"}, "due_at must be a time such as"),
        ({"due_at": None}, "due_at must be a time such as"),
        ({"closed_at": 1_779_000_000}, "closed_at must be a time such as"),
        ({"closed_at": "2026-05-20T17:30:00.1234567Z"}, "closed_at is finer than a microsecond"),
        ({"closed_at": "20260520T173000,1234567Z"}, "closed_at is finer than a microsecond"),
        ({"used_seconds": -1}, "used_seconds is -1; it cannot be negative"),
        ({"used_seconds": 1.5}, "used_seconds must be a whole number, not 1.5"),
        ({"used_seconds": "9000"}, 'used_seconds must be a whole number, not "9000"'),
        ({"used_seconds": True}, "used_seconds must be a whole number, not true"),
        ({"used_seconds": 10**30}, "more than 1000000000000 cannot be meant"),
        ({"limit_seconds": None}, "limit_seconds must be a whole number, not null"),
        ({"dispatches": 0}, "dispatched at least once"),
        ({"second_dispatch_at": "2026-05-20T17:30:00Z"}, "second_dispatch_at must be null"),
        ({"extension_seconds": 60}, "extension_granted_at must say when"),
        (
            {"deferral_seconds": None, "deferral_granted_at": "2026-05-20T17:30:00Z"},
            "deferral_seconds must be, too",
        ),
        ({"case": ""}, "case is empty"),
        ({"case": 17}, "case must be text in quotes"),
        ({"unit": "\ud800"}, "unit holds half a character"),
        ({"returns_refused": [1]}, "returns_refused must be a whole number"),
        ({"returns_refused": {"a": 1}}, "returns_refused must be a whole number, not an object"),
        ({"colour": "red"}, '"colour" is no field'),
    ],
)
def test_a_bad_line_is_refused_with_file_line_and_reason(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    text = f"{json.dumps(line(case='0'))}\n{json.dumps(line(**change))}\n"

    told = refusal(run(tmp_path, text))

    assert f"{tmp_path / 'assignments.jsonl'}:2: " in told
    assert reason in told
    assert told.count("\n") == 1


def test_a_whole_number_may_have_a_point_and_a_case_may_be_dispatched_without_repeat(
    tmp_path: Path,
) -> None:
    """JSON knows one kind of number; after a return a case is dispatched, but not repeatedly."""
    text = json.dumps(line(used_seconds=9000.0, dispatches=2))

    [card] = cards(run(tmp_path, text))

    assert (card["due"], card["timely"], card["repeated"]) == (1, 1, 0)


@pytest.mark.parametrize(
    ("raw", "place", "reason"),
    [
        (b"{", ":1: ", "no JSON"),
        (b"[]", ":1: ", "must be one JSON object"),
        (b"{}", ":1: ", "case is missing"),
        (json.dumps(line()).encode() + b"\n\n" + json.dumps(line()).encode(), ":2: ", "empty"),
        (b'{"case": "\xff"}', ":1: ", "not UTF-8"),
        (json.dumps(line()).replace("9000", "NaN").encode(), ":1: ", "NaN is no number of JSON"),
        (
            json.dumps(line()).replace("{", '{"unit": "x", ').encode(),
            ":1: ",
            "unit stands there twice",
        ),
        (b"[" * 100_000, ":1: ", "no JSON"),
        (
            json.dumps(line()).encode() + b"\n" + json.dumps(line()).encode(),
            ":2: ",
            "line 1 already",
        ),
    ],
)
def test_what_is_no_assignment_is_refused(
    tmp_path: Path, raw: bytes, place: str, reason: str
) -> None:
    told = refusal(run(tmp_path, raw, stdin=True))

    assert f"-{place}" in told
    assert reason in told


@pytest.mark.parametrize(
    ("before", "after", "line_number", "reason"),
    [
        ("timely = 0.8", "timely = 0.7", 2, "weights must make 1"),
        ("repeat = 0.03", "repeat = -0.03", 3, "allowance.repeat is -0.03"),
        ("repeat = 0.03", "repeat = nan", 3, "allowance.repeat is NaN"),
        ("repeat = 0.03, ", "", 3, "allowance.repeat is missing"),
        ("repeat = 0.03", 'repeat = "3 %"', 3, "allowance.repeat must be a number"),
        ("rank_minimum = 20", "rank_minimum = 2.5", 4, "must be a whole number"),
        ("rank_minimum = 20", "rank_minimum = -1", 4, "rank_minimum is -1"),
        ("+08:00", "", 5, "computed_at must be an instant with offset"),
        ("Asia/Shanghai", "Asia/Lanzhou", 1, "no IANA time zone"),
        ("Asia/Shanghai", "../etc/passwd", 1, "no IANA time zone"),
        ("rank_minimum", "rank_minimun", 4, "rank_minimun is no setting"),
        ("zone = ", "zone : ", 1, "no TOML"),
        ("computed_at = 2026-06-05T00:00:00+08:00\n", "", 1, "computed_at is missing"),
    ],
)
def test_impossible_parameters_are_refused_with_file_line_and_reason(
    tmp_path: Path, before: str, after: str, line_number: int, reason: str
) -> None:
    assert before in PARAMETERS
    changed = PARAMETERS.replace(before, after)

    told = refusal(run(tmp_path, json.dumps(line()), parameters=changed))

    assert f"{tmp_path / 'parameters.toml'}:{line_number}: " in told
    assert reason in told


def test_files_and_periods_that_are_none_are_refused(tmp_path: Path) -> None:
    assert "month as 2026-05" in refusal(run(tmp_path, "", period="2026-13"))
    written = tmp_path / "parameters.toml"
    for arguments, told in (
        ([str(tmp_path / "none"), "--period", "2026", "--parameters", str(written)], "none:0: "),
        (["-", "--period", "2026", "--parameters", str(tmp_path / "no.toml")], "no.toml:1: "),
    ):
        assert told in refusal(CliRunner().invoke(app, arguments, input=""))


_zones = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=9.5))])


@st.composite
def _instants(draw: Any, *, around: datetime) -> datetime:
    seconds = draw(st.sampled_from([-1, 0, 0, 1, 3_600, -86_400]))
    return (around + timedelta(seconds=seconds)).astimezone(draw(_zones))


@st.composite
def _drawn_line(draw: Any) -> dict[str, Any]:
    granted = st.one_of(st.none(), _instants(around=START))
    extended, deferred = draw(granted), draw(granted)
    dispatches = draw(st.sampled_from([1, 1, 2, 3]))
    return line(
        unit=draw(st.sampled_from(["water", "roads", "园林局"])),
        due_at=draw(st.one_of(_instants(around=START), _instants(around=END))),
        used_seconds=draw(st.sampled_from([14_399, 14_400, 14_401, 14_460])),
        closed_at=draw(st.one_of(st.none(), _instants(around=COMPUTED_AT))),
        extension_seconds=60 if extended else draw(st.sampled_from([0, None])),
        extension_granted_at=extended,
        deferral_seconds=60 if deferred else draw(st.sampled_from([0, None])),
        deferral_granted_at=deferred,
        dispatches=dispatches,
        second_dispatch_at=draw(_instants(around=START)) if dispatches > 1 else None,
        **{
            name: draw(st.sampled_from([0, 0, 0, 1, 2]))
            for name in (
                "returned_to_same",
                "returned_to_other",
                "returns_refused",
                "feedback_refused",
            )
        },
    )


_shares = st.sampled_from(["0", "0.03", "0.1", "0.25", "0.333", "1"])


@settings(max_examples=150, deadline=None)
@given(
    drawn=st.lists(_drawn_line(), max_size=40),
    shares=st.tuples(_shares, _shares, _shares),
    minimum=st.integers(0, 5),
    order=st.randoms(use_true_random=False),
)
def test_the_command_agrees_with_plain_loops(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[dict[str, Any]],
    shares: tuple[str, str, str],
    minimum: int,
    order: Any,
) -> None:
    lines = [{**one, "case": f"{number:02d}"} for number, one in enumerate(drawn)]
    repeat, deferral, extension = shares
    written = [json.dumps(one, default=datetime.isoformat) for one in lines]
    order.shuffle(written)
    parameters = (
        PARAMETERS.replace("repeat = 0.03", f"repeat = {repeat}")
        .replace("deferral = 0.03", f"deferral = {deferral}")
        .replace("extension = 0.03", f"extension = {extension}")
        .replace("rank_minimum = 20", f"rank_minimum = {minimum}")
    )

    found = cards(run(tmp_path_factory.mktemp("run"), "\n".join(written), parameters=parameters))

    expected = scorecards_by_hand(
        [{**one, "standing": "counts", "ordinal": 1} for one in lines],
        START,
        END,
        COMPUTED_AT,
        {
            "timely": Fraction(4, 5),
            "resolved": Fraction(1, 5),
            "allowance": {
                "repeat": Fraction(repeat),
                "deferral": Fraction(deferral),
                "extension": Fraction(extension),
            },
            "rank_minimum": minimum,
        },
    )
    assert found == [
        {name: _decimals(expected[unit][name]) for name in FIELDS} for unit in sorted(expected)
    ]


def _decimals(value: Any) -> Any:
    if not isinstance(value, Fraction):
        return value
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return float(exact.quantize(Decimal("0.000001"), ROUND_HALF_EVEN))
