"""Many hands: a bounded number of steps at once, and never two on the same request."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from services.replay.board import Board
from services.replay.errors import Refused

ENOUGH = 8
"""With so many steps waiting for each free hand, nobody looks into the queues for more."""


class Hands:
    """Carries out steps side by side in a task group."""

    def __init__(self, group: asyncio.TaskGroup, board: Board, *, at_once: int) -> None:
        self._group = group
        self._board = board
        self._free = asyncio.Semaphore(at_once)
        self._enough = ENOUGH * at_once
        self._in_hand: set[Hashable] = set()

    @property
    def busy(self) -> bool:
        return bool(self._in_hand)

    @property
    def full(self) -> bool:
        """Whether there is enough to do for now; long queues are costly to read."""
        return len(self._in_hand) >= self._enough

    def take(self, what: Hashable, key: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do something about a request, unless `what` is being done already."""
        if what not in self._in_hand:
            self._in_hand.add(what)
            self._group.create_task(self._do(what, key, work))

    async def _do(self, what: Hashable, key: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            async with self._free:
                await work()
        except Refused as refused:
            self._board.troubles[key] = refused.message
        finally:
            self._in_hand.discard(what)
