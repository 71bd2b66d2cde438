"""The toy service that the kernel is tried on."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.events import registry
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test

sys.path.insert(0, str(Path(__file__).parent))

import toy


@pytest.fixture
def _toy_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event registry know the toy's events."""
    known = {
        **registry.event_classes(),
        **{item.TYPE: item for item in (toy.LampLit, toy.Counted, toy.CountedTwice)},
    }
    monkeypatch.setattr("shared.events.registry.event_classes", lambda: known)
    monkeypatch.setattr("shared.inbox.consumer.event_classes", lambda: known)


@pytest.fixture
def _nothing_fails() -> Iterator[None]:
    toy.FAILING.clear()
    yield
    toy.FAILING.clear()


@pytest.fixture
async def sut(
    database_url: str, qilihe: CityPack, tmp_path: Path, _toy_events: None, _nothing_fails: None
) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(
        toy.service, database_url=database_url, pack=qilihe, folder=tmp_path
    ) as driven:
        yield driven
