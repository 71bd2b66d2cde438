"""Reads the services' books through their public lists."""

import asyncio
from typing import Any

from services.replay.ledger import Books, CaseEntry, ReportEntry, SetEntry, TicketEntry
from services.replay.marks import key_in
from services.replay.reporting import Stage
from shared.vocabulary import Role

Json = dict[str, Any]


async def read_books(stage: Stage) -> Books:
    """All reports, cases, tickets, and assessment's sets, as they are now."""
    reports, cases, tickets, sets = await asyncio.gather(
        _all(stage, Role.OPERATOR, "intake", "/reports"),
        _all(stage, Role.DISPATCHER, "dispatch", "/cases", order="newest"),
        _all(stage, Role.AGENT, "hotline", "/tickets"),
        _reconciliation(stage),
    )
    return Books(
        reports=[_report(item) for item in reports],
        cases=[_case(item) for item in cases],
        tickets=[_ticket(item) for item in tickets],
        sets={
            name: SetEntry(value["count"], value["checksum"])
            for name, value in sets.items()
            if isinstance(value, dict) and "checksum" in value
        },
        behind=sets["behind"],
    )


async def _reconciliation(stage: Stage) -> Json:
    reader = stage.city.person(stage.cast.somebody(Role.SUPERVISOR))
    return await reader.get("assessment", "/reconciliation")


async def _all(stage: Stage, role: Role, service: str, path: str, **wanted: str) -> list[Json]:
    reader = stage.city.person(stage.cast.somebody(role))
    return [item async for page in reader.pages(service, path, **wanted) for item in page]


def _report(item: Json) -> ReportEntry:
    return ReportEntry(
        id=item["id"],
        key=key_in(item["description"]),
        state=item["state"],
        case_id=item["case"]["id"] if item["case"] else None,
        merged_into=item["merged_into"],
    )


def _case(item: Json) -> CaseEntry:
    return CaseEntry(
        id=item["id"],
        key=key_in(item["description"]),
        state=item["state"],
        dispatches=item["dispatches"],
        failed=item["failed_verifications"],
    )


def _ticket(item: Json) -> TicketEntry:
    return TicketEntry(
        id=item["id"],
        key=key_in(item["description"]),
        state=item["state"],
        progress=item["progress"],
        case_id=item["case_id"],
    )
