"""The command line answers on standard output and refuses on standard error with code 2."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.commands.worktime import app

PACKS = Path(__file__).parents[2] / "packs"
QILIHE = str(PACKS / "qilihe")
NYC = str(PACKS / "nyc311")
START = "2026-09-30T16:50:00+08:00"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


def refusal(*arguments: str, stdin: str | None = None) -> str:
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 2
    assert result.stdout == ""
    return result.stderr


def test_due_prints_one_instant_in_the_zone_of_the_pack() -> None:
    result = run("due", "--pack", QILIHE, "--start", START, "--limit", "2 working-hours")

    assert (result.exit_code, result.stdout) == (0, "2026-10-08T09:50:00+08:00\n")


def test_another_pack_answers_in_its_own_zone() -> None:
    result = run("due", "--pack", NYC, "--start", START, "--limit", "2 working-hours")

    assert result.stdout == "2026-09-30T11:00:00-04:00\n"


def test_elapsed_prints_working_seconds() -> None:
    end = "2026-10-08T09:50:00.5+08:00"

    result = run("elapsed", "--pack", QILIHE, "--start", START, "--end", end)

    assert (result.exit_code, result.stdout) == (0, "7200.5\n")


@pytest.mark.parametrize("source", ["-", "file"])
def test_batch_answers_each_line_in_order(tmp_path: Path, source: str) -> None:
    lines = (
        f"{START},2 working-hours\n{START},90 minutes\n2026-06-01T10:30:00+08:00,1 working-hours\n"
    )
    (tmp_path / "questions.csv").write_text("\ufeff" + lines, encoding="utf-8")
    batch = "-" if source == "-" else str(tmp_path / "questions.csv")

    result = run("due", "--pack", QILIHE, "--batch", batch, stdin=lines)

    assert result.stdout.splitlines() == [
        "2026-10-08T09:50:00+08:00",
        "2026-09-30T18:20:00+08:00",
        "2026-06-01T11:30:00+08:00",
    ]


def test_batch_of_durations() -> None:
    lines = f"{START},2026-10-08T09:50:00+08:00\n{START},{START}\n\n"

    assert run("elapsed", "--pack", QILIHE, "--batch", "-", stdin=lines).stdout == "7200\n0\n"


def test_a_bad_line_is_named_and_nothing_is_printed() -> None:
    lines = f"{START},2 working-hours\n{START}\nsoon,1 days\n{START},2 weeks\n"

    said = refusal("due", "--pack", QILIHE, "--batch", "-", stdin=lines)

    assert [line.split(":")[0] for line in said.removeprefix("error: ").splitlines()] == [
        "line 2",
        "line 3",
        "line 4",
    ]


def test_an_empty_batch_has_no_answers() -> None:
    result = run("due", "--pack", QILIHE, "--batch", "-", stdin="")

    assert (result.exit_code, result.stdout) == (0, "")


def test_a_year_without_data_is_refused_unless_provisional() -> None:
    question = ("--pack", QILIHE, "--start", "2026-12-31T16:00:00+08:00")
    limit = ("--limit", "2 working-hours")

    assert "2027" in refusal("due", *question, *limit)
    provisional = run("due", *question, *limit, "--provisional")
    assert provisional.stdout == "2027-01-02T09:30:00+08:00\n"
    end = ("--end", "2027-01-05T00:00:00+08:00")
    assert "2027" in refusal("elapsed", *question, *end)
    assert "2027" in refusal("explain", *question, *end)
    assert run("elapsed", *question, *end, "--provisional").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("due", "--start", START),
        ("due", "--limit", "1 hours"),
        ("due",),
        ("due", "--start", START, "--limit", "1 hours", "--batch", "-"),
        ("due", "--start", "yesterday", "--limit", "1 hours"),
        ("due", "--start", START, "--limit", "-1 hours"),
        ("due", "--batch", "no/such/file.csv"),
        ("elapsed", "--start", START, "--end", "2020-01-01T00:00:00+08:00"),
        ("explain", "--start", START),
        ("explain", "--start", START, "--limit", "1 hours", "--end", START),
        ("explain", "--start", START, "--limit", "1 hours", "--language", "fr"),
    ],
)
def test_questions_that_are_none_are_refused(arguments: tuple[str, ...]) -> None:
    assert refusal(*arguments, "--pack", QILIHE).startswith("error: ")


def test_faults_of_the_calendar_are_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "calendar.toml").write_text('zone = "Nowhere"\n', encoding="utf-8")

    said = refusal("due", "--pack", str(tmp_path), "--start", START, "--limit", "1 hours")

    assert f"{tmp_path / 'calendar.toml'}:1: unknown zone 'Nowhere'" in said


def test_explain_lists_the_days_for_people_and_for_programs() -> None:
    question = ("explain", "--pack", QILIHE, "--start", START, "--limit", "2 working-hours")

    en, zh, data = run(*question), run(*question, "--language", "zh"), run(*question, "--json")

    assert "2026-10-01 Thursday  holiday, does not count (National Day)" in en.stdout
    assert "到期: 2026-10-08T09:50:00+08:00" in zh.stdout
    assert json.loads(data.stdout)["due"] == "2026-10-08T09:50:00+08:00"
    assert json.loads(data.stdout)["seconds"] == 7200


def test_explain_up_to_an_end() -> None:
    result = run(
        "explain",
        "--pack",
        QILIHE,
        "--start",
        START,
        "--end",
        "2026-10-08T00:00:00+08:00",
        "--json",
    )

    assert json.loads(result.stdout)["seconds"] == 2400
