"""Empty tables for each test, without paying for their making each time."""

import asyncio
import zlib

import psycopg
import sqlalchemy as sa
from psycopg import sql

from shared.db.database import Database

_made: set[str] = set()


async def own_database(url: str, name: str, metadata: sa.MetaData) -> str:
    """The URL of a database for these tables alone, beside the one at `url`, made where missing.

    On SQLite it is the file itself, which every test has for itself anyway.
    """
    if url.startswith("sqlite"):
        return url
    tables = ",".join(sorted(metadata.tables))
    own = f"{url}_{name}_{zlib.crc32(tables.encode()):08x}"
    if own not in _made:
        await asyncio.to_thread(_create, url, own.rsplit("/", 1)[1])
    return own


async def empty_tables(database: Database, metadata: sa.MetaData) -> None:
    """Make the tables of `metadata`, or empty them where an earlier test has made them."""
    async with database.engine.begin() as connection:
        if database.url not in _made:
            await connection.run_sync(metadata.create_all)
            if not database.is_sqlite:
                _made.add(database.url)
            return
        # Nobody relies on a test's rows surviving a power cut.
        await connection.execute(sa.text("SET LOCAL synchronous_commit = off"))
        await connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())


def _create(url: str, name: str) -> None:
    server = url.replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
