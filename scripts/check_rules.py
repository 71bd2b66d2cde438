"""Checks the house rules that neither ruff nor import-linter can express.

    python scripts/check_rules.py [ROOT]

Each rule names the rooms in which the thing is at home; anywhere else in services/ and shared/ it
is a fault. Exit status 1 if there is any, one `file:line: rule: message` a line.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CODE = ("services", "shared")
PROSE = ("services", "shared", "scripts", "tests", "bench", "docs", "deploy", "packs", ".ci")
PROSE_KINDS = {
    "",
    ".py",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".sh",
    ".sql",
    ".html",
    ".css",
    ".js",
    ".conf",
}
NOT_OURS = {".venv", ".bootstrap", "node_modules", "__pycache__", "secrets", "var"}

# Written in two halves so that this file passes its own check.
LATER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")

# What is called, where it is at home, and what to do elsewhere.
CALLS = {
    "commit": (
        ("shared/db", "shared/outbox", "shared/inbox", "shared/web"),
        "the edge commits, once: take the session that you are given",
    ),
    "now": (("shared/clock",), "take the clock that you are given"),
    "utcnow": (("shared/clock",), "take the clock that you are given"),
    "today": (("shared/clock",), "take the clock that you are given"),
    "AsyncClient": (
        (
            "shared/web/clients.py",
            "shared/auth",
            "shared/messages",
            "shared/testing",
            "services/commands",
            "services/replay",
        ),
        "HTTP clients with their time limits are made in shared/web/clients.py",
    ),
}
# `now` and `today` mean the system's clock only on these.
CLOCKS = {"datetime", "date", "dt"}
IMPORTS = {
    "aio_pika": (
        ("shared/bus", "shared/testing"),
        "messages leave by the outbox; the broker is known to shared/bus alone",
    ),
    "aiormq": (
        ("shared/bus",),
        "messages leave by the outbox; the broker is known to shared/bus alone",
    ),
    "requests": ((), "it blocks the event loop: use the client of shared/web/clients.py"),
}
READ_AT_RUN_TIME = {"fastapi", "pydantic", "sqlmodel"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


@dataclass(frozen=True, order=True)
class Fault:
    """One breach, printable as compilers do."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


def at_home(file: str, rooms: tuple[str, ...]) -> bool:
    """Tell whether a file is one of the rooms or inside one; `shared/clock` means clock.py too."""
    return any(file.startswith(f"{room}/") or file in {room, f"{room}.py"} for room in rooms)


def last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def call_faults(tree: ast.Module, file: str) -> Iterator[Fault]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = last_name(node.func)
        if name not in CALLS:
            continue
        owner = last_name(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if name in {"now", "utcnow", "today"} and owner not in CLOCKS:
            continue
        if name == "commit" and not isinstance(node.func, ast.Attribute):
            continue
        rooms, advice = CALLS[name]
        if not at_home(file, rooms):
            yield Fault(file, node.lineno, f"{name}-outside-its-room", advice)


def import_faults(tree: ast.Module, file: str) -> Iterator[Fault]:
    imported: dict[str, int] = {}
    future = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported.setdefault(alias.name.split(".")[0], node.lineno)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.setdefault(node.module.split(".")[0], node.lineno)
            if node.module == "__future__" and any(a.name == "annotations" for a in node.names):
                future = node.lineno
    for name, (rooms, advice) in IMPORTS.items():
        if name in imported and not at_home(file, rooms):
            yield Fault(file, imported[name], f"{name}-outside-its-room", advice)
    if future and (reader := sorted(READ_AT_RUN_TIME & imported.keys())):
        message = f"{reader[0]} reads annotations at run time: they must not be strings"
        yield Fault(file, future, "annotations-as-strings", message)


def code_faults(path: Path, root: Path) -> Iterator[Fault]:
    file = path.relative_to(root).as_posix()
    if path.stem in VAGUE:
        yield Fault(file, 1, "vague-name", "name the module after what it holds")
    if "/migrations/" in file:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=file)
    yield from call_faults(tree, file)
    yield from import_faults(tree, file)


def note_faults(path: Path, root: Path) -> Iterator[Fault]:
    file = path.relative_to(root).as_posix()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if found := LATER.search(line):
            message = "do it now, or open an issue; notes for later are not merged"
            yield Fault(file, number, f"note-for-later ({found[1]})", message)


def files(root: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not NOT_OURS & set(path.relative_to(root).parts):
                yield path


def faults(root: Path) -> list[Fault]:
    """Every breach in the tree, in order of file and line."""
    found: list[Fault] = []
    for path in files(root, CODE):
        if path.suffix == ".py":
            found += code_faults(path, root)
    own = [path for path in sorted(root.iterdir()) if path.is_file() and path.name != "uv.lock"]
    for path in (*own, *files(root, PROSE)):
        if path.suffix in PROSE_KINDS:
            found += note_faults(path, root)
    return sorted(found)


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = faults(root)
    for fault in found:
        print(fault)
    print(f"house rules: {len(found)} faults" if found else "house rules: kept", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
