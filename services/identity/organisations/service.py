"""Taking organisations over from the city pack, and changing them."""

import hashlib
from typing import Any

from services.identity.organisations.domain import organisation_id
from services.identity.organisations.errors import OrganisationExists
from services.identity.organisations.models import Organisation
from services.identity.organisations.repository import all_organisations, organisation_by_code
from shared.errors import NotFound
from shared.events.identity import OrganisationChanged
from shared.pack.model import CityPack, Unit
from shared.web.etag import check_match
from shared.work import UnitOfWork


class OrganisationService:
    def __init__(self, work: UnitOfWork, pack: CityPack) -> None:
        self._work = work
        self._pack = pack

    async def take_over(self) -> None:
        """Bring the units of the city pack in; tells only what changed."""
        known = await all_organisations(self._work.session)
        for unit in self._pack.units.values():
            entry = _fingerprint(unit)
            row = known.get(unit.code)
            if row is not None and row.pack_entry == entry:
                continue
            if row is None:
                row = Organisation(
                    id=organisation_id(self._pack.city.code, unit.code),
                    code=unit.code,
                    name_zh="",
                    name_en="",
                    kind="",
                )
                self._work.session.add(row)
            row.name_zh, row.name_en = unit.name.zh, unit.name.en
            row.kind, row.parent, row.pack_entry = unit.kind.value, unit.parent or None, entry
            self._changed(row, "take-over")

    async def create(
        self, *, code: str, name_zh: str, name_en: str, kind: str, parent: str | None
    ) -> Organisation:
        if await organisation_by_code(self._work.session, code) is not None:
            raise OrganisationExists(f"There is an organisation {code} already; change that one.")
        row = Organisation(
            id=organisation_id(self._pack.city.code, code),
            code=code,
            name_zh=name_zh,
            name_en=name_en,
            kind=kind,
            parent=parent,
        )
        self._work.session.add(row)
        self._changed(row, "create")
        return row

    async def change(
        self, *, code: str, changes: dict[str, Any], if_match: str | None
    ) -> Organisation:
        row = await self.get(code)
        check_match(row, if_match)
        for name, value in changes.items():
            setattr(row, name, value)
        self._changed(row, "change")
        return row

    async def get(self, code: str) -> Organisation:
        row = await organisation_by_code(self._work.session, code)
        if row is None:
            raise NotFound(f"There is no organisation {code}.")
        return row

    def _changed(self, row: Organisation, action: str) -> None:
        self._work.tell(
            row,
            OrganisationChanged(code=row.code, name=row.name_zh, kind=row.kind, active=row.active),
        )
        self._work.record(row, action, to_state="active" if row.active else "closed")
        self._work.audit(f"organisation-{action}", f"organisation:{row.code}")


def _fingerprint(unit: Unit) -> str:
    parts = [unit.code, unit.name.zh, unit.name.en, unit.kind.value, unit.parent]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
