"""Whole days against the whole suite: at one go, interrupted, by the command, and the sample."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from services.__main__ import _command_line
from services.commands.demo import play_sample
from services.replay.api import origins
from services.replay.board import Step
from services.replay.day import Day, Row, read_day
from services.replay.plan import End, Options, Plan, plan_day
from services.replay.run import Manner, Result, play
from shared.pack.model import CityPack
from tests.replay.conftest import PASSWORD, ROOT, Silent, StartSuite
from tests.replay.test_day import FILE, ZONE

PACK = ROOT / "packs" / "nyc311"
OPTIONS = Options(reject_share=0.05, fail_share=0.2)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def small_day(nyc311: CityPack) -> Day:
    """Sixty rows of the real day in which everything happens that happens in all of it."""
    rows = read_day(FILE, ZONE).rows
    plans = plan_day(Day("all", rows, ()), nyc311, OPTIONS)
    merged = [plan for plan in plans.values() if plan.end is End.MERGED][:6]
    wanted = {key for plan in merged for key in (plan.key, plan.into)}
    wanted |= _first(plans.values(), 3, lambda plan: plan.fails)
    for end in End:
        wanted |= _first(plans.values(), 3, lambda plan, end=end: plan.end is end)
    for channel in ("ONLINE", "MOBILE", "OTHER", "UNKNOWN"):
        wanted |= {row.key for row in _of(rows, channel, placed=True)[:3]}
        wanted |= {row.key for row in _of(rows, channel, placed=False)[:1]}
    wanted |= {row.key for row in rows if "without-place" in row.faults and row.channel == "PHONE"}
    wanted |= {row.key for row in rows[: max(0, 60 - len(wanted))]}
    return Day("small", tuple(row for row in rows if row.key in wanted), ())


def _first(plans: Iterable[Plan], count: int, wanted: object) -> set[str]:
    return {plan.key for plan in [one for one in plans if wanted(one)][:count]}  # type: ignore[operator]


def _of(rows: Iterable[Row], channel: str, *, placed: bool) -> list[Row]:
    return [row for row in rows if row.channel == channel and (row.lng is not None) is placed]


def manner(url: str, **more: object) -> Manner:
    fields = {"roots": origins([url]), "password": PASSWORD, "story": "small", "patience": 30.0}
    return Manner(**(fields | more))  # type: ignore[arg-type]


def expected(plans: dict[str, Plan], result: Result) -> dict[str, int]:
    """What the plan says, counted without the players."""
    taken = [plan for key, plan in plans.items() if key not in result.refused]
    return {
        "reports": len(taken),
        "registered": sum(plan.becomes_case for plan in taken),
        "merged": sum(plan.end is End.MERGED for plan in taken),
        "rejected": sum(plan.end is End.REJECTED for plan in taken),
        "closed": sum(plan.end is End.CLOSED for plan in taken),
        "redispatched": sum(bool(plan.fails) for plan in taken),
        "lost": 0,
        "doubled": 0,
        "different": 0,
    }


def assert_as_planned(plans: dict[str, Plan], result: Result) -> None:
    figures = result.figures()
    assert result.found == []
    assert {name: figures[name] for name in expected(plans, result)} == expected(plans, result)


async def test_a_small_day_is_played_and_found_in_every_book(
    start_suite: StartSuite, small_day: Day, nyc311: CityPack
) -> None:
    plans = plan_day(small_day, nyc311, OPTIONS)
    watcher = Silent()
    async with start_suite(PACK) as url:
        result = await play(plans, nyc311, manner(url), watcher)
        assert_as_planned(plans, result)
        # Played once more, nothing is done again.
        again = await play(plans, nyc311, manner(url), Silent())
        assert_as_planned(plans, again)
    counts = expected(plans, result)
    assert all(counts[name] for name in ("merged", "rejected", "closed", "redispatched"))
    assert set(result.refused.values()) == {"place-missing"}
    assert watcher.reached[Step.REPORTED] == len(plans)
    assert watcher.reached[Step.CLOSED] == counts["closed"]


class Saboteur(Silent):
    """Pulls the plug when a stage has come so far."""

    def __init__(self, step: Step, count: int) -> None:
        super().__init__()
        self._when = (step, count)
        self.pulled = asyncio.Event()

    def reach(self, step: Step, count: int) -> None:
        super().reach(step, count)
        if (step, count) == self._when:
            self.pulled.set()


async def test_a_day_interrupted_again_and_again_ends_as_one_at_one_go(
    start_suite: StartSuite, small_day: Day, nyc311: CityPack
) -> None:
    plans = plan_day(small_day, nyc311, OPTIONS)
    async with start_suite(PACK) as url:
        for step, count in ((Step.REPORTED, 25), (Step.DISPATCHED, 20), (Step.VERIFIED, 3)):
            saboteur = Saboteur(step, count)
            run = asyncio.create_task(play(plans, nyc311, manner(url), saboteur))
            pulled = asyncio.create_task(saboteur.pulled.wait())
            await asyncio.wait({run, pulled}, return_when=asyncio.FIRST_COMPLETED)
            assert not run.done(), f"the day was over before {step} {count}"
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
        assert_as_planned(plans, await play(plans, nyc311, manner(url), Silent()))


async def test_the_command_tells_the_figures_in_its_last_line(start_suite: StartSuite) -> None:
    app = _command_line("replay")
    arguments = ["replay", str(FILE), "--limit", "8", "--quiet", "--password", PASSWORD, "--api"]
    async with start_suite(PACK) as url:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, url])
        assert result.exit_code == 0, result.output
        figures = json.loads(result.stdout.splitlines()[-1])
        assert list(figures)[:10] == [
            "reports",
            "registered",
            "merged",
            "rejected",
            "closed",
            "redispatched",
            "lost",
            "doubled",
            "seconds",
            "cases_per_second",
        ]
        assert (figures["rows"], figures["reports"]) == (8, 8)
        # Another plan for rows that are played already cannot be found in the books.
        spoilt = [*arguments, url, "--reject-share", "1", "--patience", "1"]
        result = await asyncio.to_thread(CliRunner().invoke, app, spoilt)
        assert result.exit_code == 1, result.output
        assert json.loads(result.stdout.splitlines()[-1])["doubled"] > 0


async def test_the_sample_shows_something_of_everything(
    start_suite: StartSuite, tmp_path: Path
) -> None:
    told = tmp_path / "told.txt"
    with told.open("w", encoding="utf-8") as lines:
        console = Console(file=lines, width=200)
        async with start_suite(ROOT / "packs" / "qilihe") as url:
            await play_sample(console, url, ROOT / "packs" / "qilihe", PASSWORD)
    text = told.read_text(encoding="utf-8")
    assert "Played 59 reports: 49 cases, 25 of them closed" in text
    assert ", not " not in text
