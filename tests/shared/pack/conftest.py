"""Copies of the small town, and a pencil to put faults into them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_town import TOWN

Edit = Callable[[str, str, str], int]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """The directory of a fresh copy of the small town."""
    folder = tmp_path / "town"
    (folder / "knowledge").mkdir(parents=True)
    for name, text in TOWN.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def edit(town: Path) -> Edit:
    """Replace one passage of a file; answers the line in which the passage began."""

    def replace(file: str, old: str, new: str) -> int:
        path = town / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    return replace
