"""`minqing recompute-deadlines`: dispatch and intake, and the report of what moved."""

import asyncio
import csv
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from typer.testing import CliRunner

from services.commands.recompute_deadlines import app
from services.composition import running_alone, service_named
from services.intake.reports.models import Report
from shared.events.vocabulary import Source

# Fifteen minutes before the end of a Monday's work: half an hour ends at 08:45 on Tuesday.
RECEIVED = datetime.fromisoformat("2026-06-01T17:15:00+08:00")
WRONG = datetime.fromisoformat("2026-06-03T08:45:00+08:00")


async def _store_report() -> None:
    """A report with a due time by a calendar in which Tuesday was a holiday."""
    async with running_alone("intake") as runtime, runtime.database.transaction() as session:
        session.add(
            Report(
                number="R2026060100001",
                source=Source.COLLECTOR,
                description="井盖破损",
                observed_at=RECEIVED,
                received_at=RECEIVED,
                stage_due_at=WRONG,
            )
        )


def _run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.rabbit
def test_both_services_are_gone_through_and_what_moved_is_in_the_report(
    tmp_path: Path, rabbit_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dispatch", "intake"):
        database = f"{tmp_path}/{name}.db"
        monkeypatch.setenv(
            f"MINQING_{name.upper()}_DATABASE_URL", f"sqlite+aiosqlite:///{database}"
        )
        monkeypatch.setenv(f"MINQING_{name.upper()}_BROKER_URL", rabbit_url)
        engine = sa.create_engine(f"sqlite:///{database}")
        service_named(name).metadata.create_all(engine)
        engine.dispose()
    asyncio.run(_store_report())
    report = tmp_path / "moved.csv"

    output = _run("--report", str(report)).output
    assert "0 open cases looked at" in output
    assert "1 open reports and field tasks looked at, due times of 1 moved" in output
    with report.open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["kind"], row["number"], row["whole_after"]) == ("report", "R2026060100001", "")
    assert datetime.fromisoformat(row["stage_before"]) == WRONG
    assert row["stage_after"] == "2026-06-02 00:45:00+00:00"

    again = _run().output
    assert again.count("the calendar has not changed") == 2
    assert "due times of 0 moved" in _run("--anew").output
