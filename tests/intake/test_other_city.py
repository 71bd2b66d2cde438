"""Nothing of intake is made for one city: the second one has other classes, grids and hours."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.intake.app import service
from shared.events.intake import TaskIssued
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from shared.vocabulary import Role


@pytest.fixture
async def other(
    sqlite_url: str, nyc311: CityPack, tmp_path: Path
) -> AsyncIterator[ServiceUnderTest]:
    async with service_under_test(
        service, database_url=sqlite_url, pack=nyc311, folder=tmp_path / "media"
    ) as running:
        yield running


async def test_a_report_of_another_city_becomes_a_case_there(
    other: ServiceUnderTest, nyc311: CityPack
) -> None:
    grid = next(iter(nyc311.grids.values()))
    point = grid.polygon.representative_point()
    condition = nyc311.conditions[0]
    key = condition.class_key
    body: dict[str, Any] = {
        "external_id": str(uuid4()),
        "class_ref": {"scheme": key.scheme, "kind": key.kind.value, "code": key.code},
        "condition": condition.code,
        "description": "as reported",
        "place": {"longitude": point.x, "latitude": point.y},
    }
    partner = other.client(Role.PARTNER, subject="open311")
    sent = await partner.post("/reports/partner", json=body)
    assert sent.status_code == 201, sent.text
    report = sent.json()
    assert report["place"]["grid"] == grid.code
    path = f"/reports/{report['id']}"
    operator = other.client(Role.OPERATOR)
    task = (await operator.post(f"{path}/check", json={})).json()
    assert task["collector"] == grid.owner or task["state"] == "unassigned"
    registered = (await operator.post(f"{path}/registration", json={})).json()
    assert registered["case"]["number"].startswith(nyc311.city.code)
    assert len(await other.told(TaskIssued)) == (1 if grid.owner else 0)
