"""`minqing pack` as it is typed."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.commands.pack import app

PACKS = Path(__file__).parents[2] / "packs"
COVER = "GB/T 47678.5-2026:component:01001"
runner = CliRunner()


@pytest.mark.parametrize("name", ["qilihe", "nyc311"])
def test_a_clean_pack_is_summed_up(name: str) -> None:
    result = runner.invoke(app, ["check", str(PACKS / name)])
    assert result.exit_code == 0, result.output
    assert "registration conditions" in result.stdout


def test_every_fault_is_printed_with_file_and_line(tmp_path: Path) -> None:
    pack = tmp_path / "city"
    shutil.copytree(PACKS / "qilihe", pack)
    units = (pack / "units.csv").read_text().splitlines()
    row = next(i for i, line in enumerate(units) if line.startswith("water,"))
    units[row] = units[row].replace(",bureau,", ",office,")
    (pack / "units.csv").write_text("\n".join(units))
    (pack / "areas.csv").unlink()
    result = runner.invoke(app, ["check", str(pack)])
    assert result.exit_code == 1
    printed = result.stdout.splitlines()
    assert f"{pack / 'areas.csv'}:1: the file is missing; every pack has one" in printed
    assert any(line.startswith(f"{pack / 'units.csv'}:{row + 1}: kind is") for line in printed)
    assert result.stderr.strip() == f"2 faults in {pack}"


def test_show_prints_limits_and_the_units_that_answer() -> None:
    result = runner.invoke(app, ["show", str(PACKS / "qilihe"), COVER, "--language", "zh"])
    assert result.exit_code == 0
    assert "供水井盖" in result.stdout
    assert "2 hours" in result.stdout
    assert "区水务局" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["01001"], "is no class key"),
        (["X:event:1"], "the pack has no class X:event:1"),
        ([COVER, "--grid", "1"], "the pack has no grid 1"),
    ],
)
def test_show_refuses_what_the_pack_does_not_have(arguments: list[str], said: str) -> None:
    result = runner.invoke(app, ["show", str(PACKS / "qilihe"), *arguments])
    assert result.exit_code == 2
    assert said in result.stderr
