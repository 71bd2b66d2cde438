"""Plays a day from the first report to the last closing, and then looks into the books."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from services.replay.api import Traffic, city_at
from services.replay.board import Board, Watcher
from services.replay.books import read_books
from services.replay.casework import CaseWorkers
from services.replay.cast import Cast
from services.replay.forms import Forms, photograph
from services.replay.hands import Hands
from services.replay.ledger import (
    Books,
    Difference,
    Kind,
    counted,
    differences,
    open_cases,
    tally,
)
from services.replay.plan import Plan
from services.replay.registering import Operators
from services.replay.reporting import Reporters, Stage
from services.replay.verifying import Collectors
from shared.pack.model import CityPack
from shared.vocabulary import Role

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 0.5
STANDSTILL_SECONDS = 10.0
_SHARES = (4, 3, 6, 3)
"""How reporters, operators, case workers and collectors share what may be under way at once: a
case takes five commands where a report takes one or four."""
_SHADES = {Role.COLLECTOR: 60, Role.HANDLER: 180}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a day is played.

    Attributes:
        roots: address of each service's API.
        story: what the keys of this day are derived from; the same story again goes on.
        at_once: commands under way at the same time.
        speed: seconds of the day in one second; 0 is as fast as it goes.
        patience: seconds without any movement after which players give up.
        settling: seconds that the services have after that until their books must agree.
    """

    roots: Mapping[str, str]
    password: str = field(repr=False)
    story: str
    at_once: int = 16
    speed: float = 0.0
    patience: float = 60.0
    settling: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it.

    Attributes:
        seconds: until the last player had nothing more to do.
        refused: requests that were not taken, by code of the problem.
        troubles: refusals of later commands, by key of the request.
    """

    plans: Mapping[str, Plan]
    books: Books
    found: list[Difference]
    refused: Mapping[str, str]
    troubles: Mapping[str, str]
    seconds: float
    on_behalf: int
    traffic: Traffic

    @property
    def agrees(self) -> bool:
        return not self.found

    def figures(self) -> dict[str, object]:
        """The figures of the last line of a replay."""
        counts = tally(self.plans, self.books)
        rate = counts["registered"] / self.seconds if self.seconds else 0.0
        return {
            **counts,
            "lost": counted(self.found, Kind.LOST),
            "doubled": counted(self.found, Kind.DOUBLED),
            "seconds": round(self.seconds, 3),
            "cases_per_second": round(rate, 2),
            "different": counted(self.found, Kind.DIFFERENT),
            "refused": dict(sorted(Counter(self.refused.values()).items())),
            "open": open_cases(self.plans, self.books),
            "web_by_operator": self.on_behalf,
            "requests": self.traffic.requests,
            "retried": self.traffic.retried,
        }

    def line(self, **more: object) -> str:
        return json.dumps(self.figures() | more, ensure_ascii=False)


Interlude = Callable[[Stage], Awaitable[None]]


async def play(
    plans: Mapping[str, Plan],
    pack: CityPack,
    manner: Manner,
    watcher: Watcher,
    *,
    overture: Interlude | None = None,
    encore: Interlude | None = None,
) -> Result:
    """Play a day against running services and compare their books with it.

    Args:
        plans: what is to become of each request, in the order in which they come.
        pack: of the city whose people play.
        manner: how.
        watcher: is told how far it is.
        overture: what is done before the first request.
        encore: what is still done when the books have been compared.

    Raises:
        SignInRefused: an account of the pack cannot sign in.
        ServiceSilent: a service does not answer; the same call goes on from there.
    """
    connections = 2 * manner.at_once + 8
    async with city_at(
        manner.roots, manner.password, manner.story, connections=connections
    ) as city:
        stage = Stage(city, pack, Cast(pack), Forms(pack), Board(plans, watcher))
        if overture is not None:
            await overture(stage)
        result = await _played(stage, manner)
        if encore is not None:
            await encore(stage)
        return result


async def _played(stage: Stage, manner: Manner) -> Result:
    started, board = time.monotonic(), stage.board
    try:
        await _play_all(stage, manner)
    except BaseExceptionGroup as group:
        # One silent service stops all players: tell that once, not as a bundle.
        raise _first_of(group) from group
    seconds = time.monotonic() - started
    books, found = await _settled_books(stage, manner.settling if not board.open else 0.0)
    return Result(
        plans=board.plans,
        books=books,
        found=found,
        refused=board.refused,
        troubles=board.troubles,
        seconds=seconds,
        on_behalf=stage.on_behalf,
        traffic=stage.city.traffic,
    )


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first


async def _play_all(stage: Stage, manner: Manner) -> None:
    """Let everybody work side by side until nobody has anything to do, or nothing moves."""
    shares = [max(1, round(manner.at_once * share / sum(_SHARES))) for share in _SHARES]
    async with asyncio.TaskGroup() as group:
        hands = [Hands(group, stage.board, at_once=share) for share in shares[1:]]
        operators, workers = Operators(stage, hands[0]), CaseWorkers(stage, hands[1])
        collectors = Collectors(stage, hands[2])
        await _take_up(stage, workers, collectors)
        reporting = group.create_task(
            Reporters(stage, at_once=shares[0], speed=manner.speed).play()
        )
        looks = (operators.look_through, workers.look_through, collectors.look_through)
        rounds = [
            group.create_task(_rounds(look, own)) for look, own in zip(looks, hands, strict=True)
        ]
        await _end(stage.board, hands, workers, reporting, manner.patience)
        for task in rounds:
            task.cancel()


async def _take_up(stage: Stage, workers: CaseWorkers, collectors: Collectors) -> None:
    """Prepare the day, and see what an earlier run of it has left."""
    # First of all, since every later command has to carry the same photographs in every run.
    await _take_photographs(stage)
    await asyncio.gather(collectors.begin_duty(), _see_reports(stage), workers.look_at_all())


async def _take_photographs(stage: Stage) -> None:
    for role, shade in _SHADES.items():
        sender = stage.city.person(stage.cast.somebody(role))
        stage.photographs[role] = await sender.upload(photograph(shade))


async def _see_reports(stage: Stage) -> None:
    reader = stage.city.person(stage.cast.somebody(Role.OPERATOR))
    async for page in reader.pages("intake", "/reports"):
        for item in page:
            stage.board.see_report(item)


async def _rounds(look: Callable[[], Awaitable[bool]], hands: Hands) -> None:
    """Look through a queue again and again, less often while nothing comes."""
    pause = SHORTEST_PAUSE_SECONDS
    while True:
        found = hands.full or await look()
        pause = SHORTEST_PAUSE_SECONDS if found else min(2 * pause, LONGEST_PAUSE_SECONDS)
        await asyncio.sleep(pause)


async def _end(
    board: Board,
    hands: list[Hands],
    workers: CaseWorkers,
    reporting: asyncio.Task[None],
    patience: float,
) -> None:
    """Return when the day is over; look at everything again when it stands still."""
    await reporting
    while board.quiet_seconds < patience:
        try:
            async with asyncio.timeout(STANDSTILL_SECONDS):
                await board.settled.wait()
        except TimeoutError:
            if board.quiet_seconds >= STANDSTILL_SECONDS and not any(own.busy for own in hands):
                await workers.look_at_all()
        else:
            return


async def _settled_books(stage: Stage, settling: float) -> tuple[Books, list[Difference]]:
    """The books as soon as they agree, or as they are when the time is over."""
    until = time.monotonic() + settling
    while True:
        books = await read_books(stage)
        found = differences(stage.board.plans, stage.board.refused, books)
        if not found or time.monotonic() >= until:
            return books, found
        await asyncio.sleep(LONGEST_PAUSE_SECONDS)
