"""Plays a sample into a fresh suite, so that lists, lights and scorecards show something."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from rich.console import Console

    from services.replay.plan import Plan
    from services.replay.reporting import Stage
    from shared.pack.model import CityPack

ROWS = 60
AT_ONCE = 16
SETTLING_SECONDS = 20.0


async def play_sample(console: "Console", url: str, pack_path: Path, password: str) -> None:
    """Play some sixty requests as the people of the pack would, within about half a minute.

    The sample district has a day of its own; another city's begins with the first rows of the
    first day (a CSV file named by its date) that lies in its pack.

    Args:
        console: where progress is shown.
        url: address of the running suite.
        pack_path: directory of the city pack.
        password: of all people of the pack.
    """
    from services.replay.api import origins
    from services.replay.progress import Bars
    from services.replay.run import Manner, play
    from services.replay.telephone import Telephone
    from shared.clock import SystemClock
    from shared.pack.loader import load_pack

    pack = load_pack(pack_path)
    zone = ZoneInfo(pack.city.zone)
    hour = SystemClock().now().astimezone(zone).replace(minute=0, second=0, microsecond=0)
    plans = _plans(pack, pack_path, hour.replace(hour=0))
    if not plans:
        console.print("The city pack brings no sample day.")
        return
    manner = Manner(
        roots=origins([url]),
        password=password,
        story=f"sample|{pack.city.code}",
        at_once=AT_ONCE,
        settling=SETTLING_SECONDS,
    )

    async def begin_shift(stage: "Stage") -> None:
        await Telephone(stage).begin_shift(hour)

    with Bars(console, quiet=False) as bars:
        result = await play(
            plans, pack, manner, bars, overture=begin_shift, encore=_on_the_telephone
        )
    counts = result.figures()
    console.print(
        f"Played {counts['reports']} reports: {counts['registered']} cases,"
        f" {counts['closed']} of them closed, in {result.seconds:.0f} s."
    )
    for one in result.found:
        console.print(f"[yellow]{one.service} {one.key}: {one.expected}, not {one.found}[/yellow]")


def _plans(pack: "CityPack", pack_path: Path, morning: datetime) -> dict[str, "Plan"]:
    from services.replay.day import read_day
    from services.replay.plan import Options, plan_day
    from services.replay.sample import CITY, sample_plans

    if pack.city.code == CITY:
        return sample_plans(pack, morning)
    days = sorted(pack_path.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].csv"))
    if not days:
        return {}
    return plan_day(read_day(days[0], ZoneInfo(pack.city.zone), limit=ROWS), pack, Options())


async def _on_the_telephone(stage: "Stage") -> None:
    from services.replay.sample import CITY, INQUIRIES
    from services.replay.telephone import Telephone

    if stage.pack.city.code == CITY:
        telephone = Telephone(stage)
        await telephone.inquiries(INQUIRIES)
        await telephone.call_back()
