"""Intake as tests drive it: on both engines, with people of the sample city."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.app import service
from services.intake.config import IntakeSettings
from services.intake.media.models import MediaFile
from services.intake.tasks.service import move_on
from shared.clock import ManualClock
from shared.events.dispatch import VerificationAsked
from shared.events.vocabulary import ClassRef, Place
from shared.pack.model import CityPack
from shared.testing import ServiceUnderTest, service_under_test
from shared.vocabulary import Role

# A Monday at 10:00 in Lanzhou, within working time.
MORNING = datetime.fromisoformat("2026-06-01T10:00:00+08:00")
COVER = {"scheme": "GB/T 47678.5-2026", "kind": "component", "code": "01001"}
BROKEN = "B01001-3"
LEAKING = "B01001-1"
GRID = "620103001001001"
OWNER = "collector01"
PLACE = {
    "longitude": 103.7985,
    "latitude": 36.067,
    "accuracy_m": 5.0,
    "position_source": "gnss",
}


class Intake:
    """The service and its people."""

    def __init__(self, sut: ServiceUnderTest) -> None:
        self.sut = sut

    @property
    def clock(self) -> ManualClock:
        clock = self.sut.runtime.clock
        assert isinstance(clock, ManualClock)
        return clock

    def collector(self, login: str = OWNER) -> httpx.AsyncClient:
        return self.sut.client(Role.COLLECTOR, subject=f"account-{login}", login=login)

    @property
    def operator(self) -> httpx.AsyncClient:
        return self.sut.client(Role.OPERATOR)

    @property
    def anonymous(self) -> httpx.AsyncClient:
        return self.sut.client()

    def body(self, **changes: Any) -> dict[str, Any]:
        """A report of a broken cover, complete but for a photograph."""
        return {
            "class_ref": COVER,
            "condition": BROKEN,
            "description": "井盖破损，缺一角",
            "place": PLACE,
            **changes,
        }

    async def photograph(self) -> str:
        """A photograph that counts as uploaded; returns its hash."""
        sha256 = hashlib.sha256(uuid4().bytes).hexdigest()
        async with self.sut.runtime.database.transaction() as session:
            session.add(
                MediaFile(
                    sha256=sha256,
                    media_type="image/jpeg",
                    size=1,
                    width=1,
                    height=1,
                    uploaded_at=self.clock.now(),
                )
            )
        return sha256

    async def report(self, client: httpx.AsyncClient | None = None, **changes: Any) -> Any:
        """A stored report."""
        sender = client or self.collector()
        answer = await sender.post("/reports", json=self.body(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def case(self, **changes: Any) -> Any:
        """A report that the city's rule has registered at once."""
        report = await self.report(media=[await self.photograph()], **changes)
        assert report["state"] == "registered"
        return report

    async def act(self, report_id: str, action: str, **body: Any) -> httpx.Response:
        return await self.operator.post(f"/reports/{report_id}/{action}", json=body)

    async def read(self, report_id: str) -> Any:
        answer = await self.operator.get(f"/reports/{report_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def go_on_duty(self, login: str, longitude: float, latitude: float) -> None:
        answer = await self.collector(login).post(
            "/collectors/me/duty",
            json={"on": True, "position": {"longitude": longitude, "latitude": latitude}},
        )
        assert answer.status_code == 200, answer.text

    async def ask_verification(
        self, case_id: UUID | str, number: int = 1, **changes: Any
    ) -> VerificationAsked:
        asked = VerificationAsked(
            **{
                "number": "6201032026060100001",
                "round": number,
                "assignment": 1,
                "unit": "chengguan",
                "class_ref": ClassRef.model_validate(COVER),
                "place": Place(**PLACE, grid=GRID),
                "standard": "The cover is whole",
                "special": False,
                "urgent": False,
                **changes,
            }
        )
        await self.sut.deliver(asked, subject=case_id)
        return asked

    async def tasks(self, **query: Any) -> list[Any]:
        answer = await self.operator.get("/tasks", params=query)
        assert answer.status_code == 200, answer.text
        items: list[Any] = answer.json()["items"]
        return items

    async def move_on(self) -> None:
        await move_on(self.sut.runtime)

    async def told(self, event_type: Any) -> list[dict[str, Any]]:
        return [envelope.data for envelope in await self.sut.told(event_type)]


@pytest.fixture
async def sut(
    database_url: str, qilihe: CityPack, tmp_path: Path
) -> AsyncIterator[ServiceUnderTest]:
    settings = IntakeSettings(
        database_url=database_url,
        public_reports_per_hour=3,
        public_media_per_hour=2,
        media_per_day=3,
        personal_data_key=base64.b64encode(bytes(32)).decode(),  # type: ignore[arg-type]
    )
    async with service_under_test(
        service,
        database_url=database_url,
        pack=qilihe,
        folder=tmp_path / "media",
        now=MORNING,
        settings=settings,
    ) as running:
        yield running


@pytest.fixture
def intake(sut: ServiceUnderTest) -> Intake:
    return Intake(sut)
