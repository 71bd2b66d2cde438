"""The machine's own limit: the same rows in one statement, the same kind of server and driver.

    DATABASE_URL=postgresql://… uvicorn bare_server:app

It copies one stored report with its journal, event and idempotency rows, with new identifiers, and
checks nothing: no token, no fields, no rules.
"""

import os
from typing import Any
from uuid import uuid4

import psycopg
from fastapi import FastAPI, Request
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

URL = os.environ["DATABASE_URL"]
FRESH: dict[str, dict[str, Any]] = {
    "reports": {"id": lambda new: new, "number": str, "client_key": str, "case_number": str},
    "outbox": {"event_id": lambda new: new, "subject": str},
    "journal": {"id": lambda new: new, "subject": str},
    "idempotency": {"key": str},
}
"""Tables of one report, and the columns that must differ from row to row."""

app = FastAPI()
idle: list[psycopg.AsyncConnection[Any]] = []
templates: dict[str, dict[str, Any]] = {}
statement: sql.Composed | None = None


async def _connection() -> psycopg.AsyncConnection[Any]:
    return idle.pop() if idle else await psycopg.AsyncConnection.connect(URL, autocommit=True)


async def _prepare() -> None:
    """Take one stored report as the pattern of all others."""
    global statement  # noqa: PLW0603 - one process, one pattern
    connection = await psycopg.AsyncConnection.connect(URL, row_factory=dict_row)
    inserts = []
    for table in FRESH:
        found = await connection.execute(
            sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(table))
        )
        row = await found.fetchone()
        assert row is not None, f"send one report before: {table} is empty"
        row.pop("position", None)
        if table == "outbox":
            # As good as sent, so that the relay leaves it alone.
            row["sent_at"] = row["created_at"]
        templates[table] = {
            name: Jsonb(value) if isinstance(value, dict | list) else value
            for name, value in row.items()
        }
        inserts.append(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(",").join(map(sql.Identifier, row)),
                sql.SQL(",").join(sql.Placeholder(f"{table}.{name}") for name in row),
            )
        )
    await connection.close()
    *first, last = inserts
    parts = [
        sql.SQL("{} AS ({})").format(sql.Identifier(f"w{number}"), insert)
        for number, insert in enumerate(first)
    ]
    statement = sql.SQL("WITH {} {}").format(sql.SQL(",").join(parts), last)


@app.post("/bare")
async def bare(request: Request) -> dict[str, str]:
    await request.json()
    if statement is None:
        await _prepare()
    new = uuid4()
    values = {
        f"{table}.{name}": (
            FRESH[table][name](new) if name in FRESH[table] and value is not None else value
        )
        for table, row in templates.items()
        for name, value in row.items()
    }
    connection = await _connection()
    assert statement is not None
    await connection.execute(statement, values)
    idle.append(connection)
    return {"id": str(new)}
