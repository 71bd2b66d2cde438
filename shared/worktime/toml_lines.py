"""On which line of a TOML file a key stands; the standard parser does not tell."""

import re
import tomllib
from pathlib import Path
from typing import Any

from shared.faults import Fault

_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[\w.\"'-]+)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*(?P<key>[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.[^=]*)?\s*=")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")

TomlPath = tuple[str | int, ...]


class LineIndex:
    """Lines by path: ``("season", 1, "hours")`` is the key in the second ``[[season]]``."""

    def __init__(self, text: str) -> None:
        self._lines: dict[TomlPath, int] = {}
        counts: dict[str, int] = {}
        table: TomlPath = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := _HEADER.fullmatch(line):
                name = header["name"].strip("\"'")
                if header["open"] == "[[":
                    table = (name, counts.setdefault(name, 0))
                    counts[name] += 1
                    self._lines.setdefault((name,), number)
                else:
                    table = (name,)
                self._lines.setdefault(table, number)
            elif key := _KEY.match(line):
                self._lines.setdefault((*table, key["key"].strip("\"'")), number)

    def line(self, *path: str | int) -> int:
        """The line of the path, or of the nearest part of it that has one; else 0."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 0


def read_toml(path: Path, shown_as: str) -> tuple[dict[str, Any], LineIndex, list[Fault]]:
    """Read a file; what cannot be read at all comes back as one fault and no data."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, LineIndex(""), [Fault(shown_as, 0, "the file does not exist")]
    except UnicodeDecodeError:
        return (
            {},
            LineIndex(""),
            [Fault(shown_as, 0, "the file is not UTF-8 text: save it as such")],
        )
    except OSError as error:
        return {}, LineIndex(""), [Fault(shown_as, 0, f"cannot be read: {error.strerror}")]
    try:
        return tomllib.loads(text), LineIndex(text), []
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) if place else len(text.splitlines())
        return {}, LineIndex(text), [Fault(shown_as, line, f"not valid TOML: {error}")]
    except (ValueError, RecursionError) as error:
        # Python itself refuses numbers of thousands of digits and tables without end.
        return {}, LineIndex(text), [Fault(shown_as, 1, f"cannot be read as TOML: {error}")]
