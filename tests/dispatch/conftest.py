"""Dispatch under test, on both engines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.dispatch.app import service
from shared.clock import ManualClock
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from tests.dispatch.story import MONDAY, Story


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MONDAY)


@pytest.fixture
async def sut(
    database_url: str, qilihe: CityPack, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(
        service, database_url=database_url, pack=qilihe, folder=tmp_path, clock=clock
    ) as found:
        yield found


@pytest.fixture
async def story(sut: ServiceUnderTest, qilihe: CityPack, clock: ManualClock) -> Story:
    return Story(sut, qilihe, clock)
