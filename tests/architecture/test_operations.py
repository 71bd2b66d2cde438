"""The operator's page names every setting, figure and alarm as the code has them."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from services.composition import SERVICES
from shared.config import ServiceSettings
from shared.observability import metrics

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """First and second column of the tables below a heading."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \| `?([^`|]+?)`? \|", part, flags=re.MULTILINE)
    assert len(found) == len(dict(found)), "a row stands twice"
    return dict(found)


def settings() -> Iterator[tuple[str, FieldInfo]]:
    for name, entry in ServiceSettings.model_fields.items():
        alias = entry.validation_alias
        if isinstance(alias, AliasChoices):
            yield str(alias.choices[0]), entry
        else:
            yield f"MINQING_<SERVICE>_{name.upper()}", entry
    for service in SERVICES:
        module = import_module(f"services.{service}.config")
        own = getattr(module, f"{service.capitalize()}Settings")
        for name, entry in own.model_fields.items():
            if name not in ServiceSettings.model_fields:
                yield f"{own.model_config['env_prefix']}{name.upper()}", entry


def told(value: Any) -> str:
    """A default as the page tells it."""
    if value is None or isinstance(value, SecretStr):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, frozenset):
        return json.dumps(sorted(value))
    if hasattr(value, "strftime"):
        return f"{value:%H:%M}"
    return str(value) or "empty"


def test_every_setting_is_told_with_its_default_and_no_other() -> None:
    expected = {
        name: "required" if entry.is_required() else told(entry.default)
        for name, entry in settings()
    }

    assert rows("Settings") == expected


def test_every_figure_is_told_with_its_kind_and_no_other() -> None:
    assert rows("What the processes say") == {
        family.name: family.type for family in metrics.REGISTRY.collect()
    }


def test_every_alarm_has_a_chapter_and_no_other() -> None:
    alarms = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
    part = PAGE.split("\n## When an alert fires\n")[1].split("\n## ")[0]

    assert re.findall(r"^### (\w+)$", part, flags=re.MULTILINE) == re.findall(
        r"- alert: (\w+)", alarms
    )
