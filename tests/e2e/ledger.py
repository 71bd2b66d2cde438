"""Compares what was told with what was heard, in the databases of the services themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from services.composition import SERVICES, service_named
from shared.testing.processes import wait_for


@dataclass
class Ledger:
    """The outboxes and inboxes of a suite.

    Args:
        urls: SQLAlchemy URL of each service's database.
    """

    urls: Mapping[str, str]

    def __post_init__(self) -> None:
        self._engines = {
            name: sa.create_engine(url.replace("+aiosqlite", "")) for name, url in self.urls.items()
        }

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()

    def wait_until_settled(self) -> None:
        """Wait until every event has been sent and has had its effect, then compare everything."""
        wait_for("no difference between told and heard", lambda: not self.differences(), seconds=90)

    def differences(self) -> list[str]:
        """What is not as it has to be once nothing is under way; empty when all is well."""
        told = {name: self._told(name) for name in SERVICES}
        found: list[str] = []
        for name in SERVICES:
            found += [f"{name}: {row}" for row in self._unsettled(name)]
            found += self._unheard(name, told)
        return found

    def _rows(self, name: str, statement: Any) -> list[Any]:
        with self._engines[name].connect() as connection:
            return list(connection.execute(statement))

    def _told(self, name: str) -> dict[tuple[str, str], tuple[int, int]]:
        """By aggregate and subject: how many numbers there are and which is the highest."""
        table = service_named(name).tables.outbox
        count = sa.func.count(sa.distinct(table.c.sequence))
        statement = sa.select(
            table.c.aggregate, table.c.subject, count, sa.func.max(table.c.sequence)
        ).group_by(table.c.aggregate, table.c.subject)
        return {(row[0], row[1]): (row[2], row[3]) for row in self._rows(name, statement)}

    def _unsettled(self, name: str) -> list[str]:
        tables = service_named(name).tables
        unsent = sa.select(sa.func.count()).where(tables.outbox.c.sent_at.is_(None))
        held = sa.select(
            tables.inbox_held.c.state, tables.inbox_held.c.type, tables.inbox_held.c.reason
        )
        found = [f"{row[0]} unsent" for row in self._rows(name, unsent) if row[0]]
        return found + [f"held: {tuple(row)}" for row in self._rows(name, held)]

    def _unheard(
        self, name: str, told: Mapping[str, Mapping[tuple[str, str], tuple[int, int]]]
    ) -> list[str]:
        service = service_named(name)
        subscriptions = service.subscriptions
        bound = [pattern.removesuffix(".#") for pattern in subscriptions.queue.bindings]
        expected = {
            key: numbers
            for publisher in told.values()
            for key, numbers in publisher.items()
            if any(key[0] == name or key[0].startswith(f"{name}.") for name in bound)
        }
        holes = [f"{key} has holes" for key, (count, last) in expected.items() if count != last]
        if not subscriptions.ordered:
            total = sum(count for count, _last in expected.values())
            inbox = service.tables.inbox
            heard = self._rows(name, sa.select(sa.func.count()).select_from(inbox))[0][0]
            return holes + ([f"{name} heard {heard} of {total}"] if heard != total else [])
        progress = service.tables.inbox_progress
        statement = sa.select(progress.c.aggregate, progress.c.subject, progress.c.sequence)
        heard_up_to = {(row[0], row[1]): row[2] for row in self._rows(name, statement)}
        return holes + [
            f"{name} heard {key} up to {heard_up_to.get(key, 0)} of {last}"
            for key, (_count, last) in expected.items()
            if heard_up_to.get(key, 0) != last
        ]
