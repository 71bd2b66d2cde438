"""What a session has added and changed, written in one round trip.

The session's own flush sends row by row and waits for each. Here its new objects become INSERTs,
its changed ones UPDATEs of the columns that differ, its deleted ones DELETEs; referred-to tables
come first. The check of versions is the same: an UPDATE that finds no row raises StaleDataError.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, Session, configure_mappers, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict, instance_state
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.db.pipeline import Rows, Statement, Step, insertion, run_on

STATEMENTS_KEPT = 2_048

T = TypeVar("T")


class Change(NamedTuple):
    """One row to be written; `found` says whether it must be there as it was read."""

    table: sa.Table
    rank: int
    statement: Statement
    values: dict[str, Any]
    found: bool = False

    @property
    def step(self) -> Step:
        return self.statement, [self.values]

    def verify(self, met: Rows) -> None:
        """Refuse what met no row.

        Raises:
            StaleDataError: somebody else has changed or deleted it.
        """
        if self.found and len(met) != 1:
            raise StaleDataError(f"A row of {self.table.name} is not as it was read.")


class _Layout(NamedTuple):
    table: sa.Table
    rank: int
    columns: frozenset[str]
    filled_in: tuple[str, ...]
    key: tuple[str, ...]
    version: str | None
    read: tuple[tuple[str, Callable[[Any], Any] | None], ...]


def changes_of(session: Session) -> list[Change] | None:
    """The rows that a session would flush; None if only the session itself can tell.

    That is so where the database fills in columns, or objects hang together by relationships.
    """
    found: list[Change] = []
    for kind, objects in (
        # Changes before additions, as the session does: one may make room for the other.
        (_changed, session.dirty),
        (_added, session.new),
        (_deleted, session.deleted),
    ):
        for item in objects:
            state = instance_state(item)
            layout = _layout(state.mapper)
            if layout is None or (kind is _added and _leaves_out(layout, state)):
                return None
            found.extend(kind(layout, state))
    return sorted(found, key=lambda change: change.rank)


async def write_changes(session: AsyncSession) -> None:
    """Write what the session would flush, and let go of its objects: they are as they were sent.

    Raises:
        StaleDataError: somebody else has changed what was read.
    """
    if not (session.new or session.dirty or session.deleted):
        return
    changes = changes_of(session.sync_session)
    if changes is None:
        await session.flush()
        return
    met = await run_on(await session.connection(), [change.step for change in changes])
    for change, rows in zip(changes, met, strict=True):
        change.verify(rows)
    session.expunge_all()


def objects_of(session: Session, model: type[T], rows: Iterable[Sequence[Any]]) -> list[T]:
    """Whole rows, in the order of the table's columns, as objects that the session has read.

    An object that the session holds already stays as it is.
    """
    configure_mappers()
    mapper = sa.inspect(model)
    layout = _layout(mapper)
    if layout is None:
        raise TypeError(f"{model.__name__} is not as its rows are")
    found = []
    for row in rows:
        values = {
            name: convert(value) if convert and value is not None else value
            for (name, convert), value in zip(layout.read, row, strict=True)
        }
        identity = mapper.identity_key_from_primary_key([values[name] for name in layout.key])
        known = session.identity_map.get(identity)
        found.append(_read(session, mapper, values) if known is None else known)
    return found


def _read(session: Session, mapper: Mapper[T], values: dict[str, Any]) -> T:
    item: T = mapper.class_manager.new_instance()
    instance_dict(item).update(values)
    make_transient_to_detached(item)
    session.add(item)
    return item


def next_version(aggregate: Any) -> int:
    """The version that an aggregate will have once its changes are written; raised at once.

    An object that is new or not changed keeps the one that it has.
    """
    state = instance_state(aggregate)
    layout = _layout(state.mapper)
    if layout and layout.version and state.persistent and _differing(layout, state):
        aggregate.version = _key(layout, state)[layout.version] + 1
    version: int = aggregate.version
    return version


def _added(layout: _Layout, state: Any) -> Iterator[Change]:
    values = {name: state.dict[name] for name in state.dict if name in layout.columns}
    yield Change(layout.table, layout.rank, insertion(layout.table, tuple(values)), values)


def _changed(layout: _Layout, state: Any) -> Iterator[Change]:
    changed = _differing(layout, state)
    if not changed:
        return
    key = _key(layout, state)
    if layout.version:
        before = key[layout.version]
        changed.setdefault(layout.version, before + 1)
        state.dict[layout.version] = changed[layout.version]
    values = {**changed, **{f"old_{name}": value for name, value in key.items()}}
    statement = _update(layout.table, tuple(changed), tuple(key))
    yield Change(layout.table, layout.rank, statement, values, found=True)


def _deleted(layout: _Layout, state: Any) -> Iterator[Change]:
    key = _key(layout, state)
    values = {f"old_{name}": value for name, value in key.items()}
    # After all else, and what refers before what is referred to.
    rank = len(layout.table.metadata.tables) * 2 - layout.rank
    statement = _delete(layout.table, tuple(key))
    yield Change(layout.table, rank, statement, values, found=layout.version is not None)


def _differing(layout: _Layout, state: Any) -> dict[str, Any]:
    return {
        name: state.dict[name]
        for name, before in state.committed_state.items()
        if name in layout.columns and name in state.dict and state.dict[name] != before
    }


def _key(layout: _Layout, state: Any) -> dict[str, Any]:
    """What finds the row as it was read: its primary key and, where there is one, its version."""
    found = dict(zip(layout.key, state.key[1], strict=True))
    if layout.version:
        name = layout.version
        found[name] = state.committed_state.get(name, state.dict[name])
    return found


@cache
def _layout(mapper: Mapper[Any]) -> _Layout | None:
    table = mapper.local_table
    if not isinstance(table, sa.Table) or mapper.relationships or len(mapper.tables) != 1:
        return None
    columns = tuple(table.columns)
    if not all(_by_its_name(mapper, column) and column.onupdate is None for column in columns):
        return None
    return _Layout(
        table=table,
        rank=table.metadata.sorted_tables.index(table),
        columns=frozenset(column.name for column in columns),
        filled_in=tuple(column.name for column in columns if _is_filled_in(table, column)),
        key=tuple(column.name for column in mapper.primary_key),
        version=None if mapper.version_id_col is None else mapper.version_id_col.name,
        read=tuple(
            (column.name, column.type.enum_class if isinstance(column.type, sa.Enum) else None)
            for column in columns
        ),
    )


def _by_its_name(mapper: Mapper[Any], column: sa.Column[Any]) -> bool:
    return mapper.get_property_by_column(column).key == column.name


def _is_filled_in(table: sa.Table, column: sa.Column[Any]) -> bool:
    """Whether a column gets a value that the object does not say."""
    ways = (column.default, column.server_default, column.identity, column.computed)
    return any(way is not None for way in ways) or column is table.autoincrement_column


def _leaves_out(layout: _Layout, state: Any) -> bool:
    return any(state.dict.get(name) is None for name in layout.filled_in)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _update(table: sa.Table, columns: tuple[str, ...], key: tuple[str, ...]) -> Statement:
    clause = sa.update(table).where(*_matches(table, key)).returning(*table.primary_key)
    return Statement(clause, columns)


@lru_cache(maxsize=STATEMENTS_KEPT)
def _delete(table: sa.Table, key: tuple[str, ...]) -> Statement:
    return Statement(sa.delete(table).where(*_matches(table, key)).returning(*table.primary_key))


def _matches(table: sa.Table, key: tuple[str, ...]) -> list[Any]:
    return [table.c[name] == sa.bindparam(f"old_{name}", type_=table.c[name].type) for name in key]
