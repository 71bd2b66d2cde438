"""The checker of the house rules finds each planted breach and nothing in the right rooms."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LATER = "TO" + "DO"


def check(root: Path) -> tuple[int, list[str]]:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts/check_rules.py", root],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, [line.split(": ")[:2] for line in done.stdout.splitlines()]


def plant(root: Path, file: str, text: str) -> None:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


BREACHES = {
    "commit": ("services/intake/reports/service.py", "session.commit()\n", "commit"),
    "awaited commit": (
        "services/intake/reports/service.py",
        "async def f(s):\n    await s.commit()\n",
        "commit",
    ),
    "system clock": ("services/intake/reports/service.py", "datetime.now(UTC)\n", "now"),
    "system clock by module": ("shared/ids.py", "datetime.datetime.now()\n", "now"),
    "system date": ("shared/pack/model.py", "date.today()\n", "today"),
    "own HTTP client": ("services/hotline/app.py", "httpx.AsyncClient()\n", "AsyncClient"),
    "broker": ("services/dispatch/worker.py", "import aio_pika\n", "aio_pika"),
    "broker's part": (
        "shared/outbox/relay.py",
        "from aio_pika.abc import AbstractMessage\n",
        "aio_pika",
    ),
    "broker from a player": ("services/replay/api.py", "import aio_pika\n", "aio_pika"),
    "broker's library from a test": ("shared/testing/x.py", "import aiormq\n", "aiormq"),
    "blocking client": ("services/hotline/app.py", "import requests\n", "requests"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_found_with_file_and_line(breach: str, tmp_path: Path) -> None:
    file, text, name = BREACHES[breach]
    plant(tmp_path, file, f'"""Room."""\n\n{text}')

    status, found = check(tmp_path)

    line = 4 if "\n    " in text else 3
    assert status == 1
    assert found == [[f"{file}:{line}", f"{name}-outside-its-room"]]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("shared/db/session.py", "session.commit()\n"),
        ("shared/clock.py", "datetime.now(UTC)\n"),
        ("shared/clock.py", "clock.now()\n"),
        ("services/intake/reports/service.py", "clock.now()\nself.clock.today()\n"),
        ("shared/web/clients.py", "httpx.AsyncClient()\n"),
        ("shared/bus/rabbit.py", "import aio_pika\n"),
        ("shared/testing/processes.py", "import aio_pika\nhttpx.AsyncClient()\n"),
        ("services/replay/api.py", "httpx.AsyncClient()\n"),
        ("tests/test_x.py", "session.commit()\ndatetime.now()\n"),
        ("services/intake/migrations/versions/0001_x.py", "connection.commit()\n"),
    ],
)
def test_the_right_rooms_are_left_in_peace(file: str, text: str, tmp_path: Path) -> None:
    plant(tmp_path, file, text)

    assert check(tmp_path) == (0, [])


def test_a_similar_name_is_not_the_room(tmp_path: Path) -> None:
    plant(tmp_path, "shared/bus_stop.py", "import aio_pika\n")
    plant(tmp_path, "shared/clockwork.py", "datetime.now()\n")

    status, found = check(tmp_path)

    assert status == 1
    assert [place for place, _ in found] == ["shared/bus_stop.py:1", "shared/clockwork.py:1"]


@pytest.mark.parametrize(
    "file", ["services/intake/app.py", "docs/running.md", "deploy/Dockerfile", "Makefile", "a.toml"]
)
def test_notes_for_later_are_found_in_code_and_prose(file: str, tmp_path: Path) -> None:
    plant(
        tmp_path, file, f"first line\n# {LATER}: later\n" if file[-2:] != "py" else f"\n# {LATER}\n"
    )

    assert check(tmp_path) == (1, [[f"{file}:2", f"note-for-later ({LATER})"]])


def test_a_word_that_only_contains_a_note_is_no_note(tmp_path: Path) -> None:
    plant(tmp_path, "docs/a.md", f"the {LATER}S list, mas{LATER.lower()}n\n")

    assert check(tmp_path) == (0, [])


def test_annotations_as_strings_are_refused_where_they_are_read_at_run_time(tmp_path: Path) -> None:
    future = "from __future__ import annotations\n"
    plant(tmp_path, "services/intake/schemas.py", f"{future}from pydantic import BaseModel\n")
    plant(tmp_path, "shared/worktime/limits.py", future)

    assert check(tmp_path) == (1, [["services/intake/schemas.py:1", "annotations-as-strings"]])


def test_vague_module_names_are_refused(tmp_path: Path) -> None:
    plant(tmp_path, "shared/utils.py", "")

    assert check(tmp_path) == (1, [["shared/utils.py:1", "vague-name"]])


def test_this_tree_keeps_its_rules() -> None:
    assert check(ROOT) == (0, [])
