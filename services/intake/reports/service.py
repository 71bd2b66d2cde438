"""Taking reports in and following what becomes of them."""

import contextlib
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from services.intake.clocks.service import reckon_report
from services.intake.config import settings_of
from services.intake.duplicates.domain import cell_of
from services.intake.media.service import require_known
from services.intake.registration.domain import (
    ByRule,
    Nature,
    accepted_by_rule,
    nature,
)
from services.intake.registration.repository import Numbers
from services.intake.reports import repository
from services.intake.reports.domain import (
    Draft,
    ReportAction,
    ReportState,
    needs_place,
    next_state,
    require_plausible_time,
)
from services.intake.reports.errors import (
    ContactNotGiven,
    ReportNotFound,
    ReportStateForbids,
    TooManyReports,
)
from services.intake.reports.models import Report, ReporterContact
from services.intake.reports.schemas import RevealedContact
from shared.errors import Conflict
from shared.ids import uuid7
from shared.pack.model import CityPack
from shared.seal.domain import Seal
from shared.seal.service import seal_of_service
from shared.service import Runtime
from shared.work import Actor, UnitOfWork


@contextlib.contextmanager
def by_rule(work: UnitOfWork, rule: str) -> Iterator[None]:
    """What is done inside is done by a rule of the city, not by the person whose request it is."""
    person = work.actor
    work.actor = Actor(id=f"rule:{rule}")
    try:
        yield
    finally:
        work.actor = person


def follow_token(client_id: UUID, number: str) -> str:
    """The secret that a citizen follows a report with.

    It is derived from the page's own secret, so that sending the report again after a lost answer
    gives the same token although only its digest is stored.
    """
    return hmac.new(client_id.bytes, number.encode(), hashlib.sha256).hexdigest()[:32]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def contact_of(session: AsyncSession, seal: Seal, report_id: UUID) -> RevealedContact | None:
    """Who reported it, in the clear: to be masked, or shown on the record."""
    row = await repository.contact_of(session, report_id)
    if row is None:
        return None
    name, number = row.name_sealed, row.number_sealed
    return RevealedContact(
        name=seal.open(name, row.name_slot) if name else None,
        phone=seal.open(number, row.number_slot) if number else None,
    )


def seal_of(runtime: Runtime) -> Seal:
    """The seal of reporters' names and numbers.

    Raises:
        PersonalDataKeyMissing: no key is set, and there is no own folder to keep one in.
    """
    return seal_of_service(runtime, settings_of(runtime).personal_data_key)


class ReportService:
    """Commands on reports, whoever they come from."""

    def __init__(self, work: UnitOfWork, pack: CityPack, numbers: Numbers) -> None:
        self._work = work
        self._pack = pack
        self._numbers = numbers

    async def receive(self, draft: Draft, *, undecided: bool = False) -> tuple[Report, bool]:
        """Store a report, and register it at once where the city's rules allow.

        Args:
            draft: as its source tells it.
            undecided: more is about to come, so no rule registers it yet.

        Returns:
            The report, and whether it is new: one that its source has sent before is given back.
        """
        now = self._work.now()
        require_plausible_time(draft.observed_at, now)
        found = nature(self._pack, draft.class_ref, draft.condition, marked=_marked(draft))
        await require_known(self._work, draft.media)
        report = await self._drawn_up(draft, found, now)
        accepted = accepted_by_rule(self._pack, draft, found, emergency=draft.emergency)
        automatic = accepted is not None and not undecided
        if accepted is not None and automatic:
            await self._become_case(report, accepted, now)
        # The row is written before its facts are told: only then is it known to be new.
        report.event_sequence = 2 if automatic else 1
        if self._work.optimistic and self._work.only_appends:
            self._work.insert(repository.TABLE, **report.model_dump())
        elif not await repository.insert_once(self._work.session, report):
            return await self._sent_before(report), False
        report.event_sequence = 0
        self._work.tell(report, report.received_fact())
        self._work.record(report, "receive", to_state=ReportState.RECEIVED)
        if automatic:
            self._tell_registered_by_rule(report)
        return report, True

    async def add_media(self, report: Report, media: Sequence[str]) -> Report:
        """Attach photographs that came later; they may complete what the city's rule asks for."""
        self._require_open(report, "add photographs")
        await require_known(self._work, media)
        report.media = list(dict.fromkeys([*report.media, *media]))
        self._work.record(report, "add-media", details={"media": list(media)})
        await self.register_if_complete(report)
        return report

    async def register_if_complete(self, report: Report) -> None:
        """Apply the city's rule to a stored report that nobody has looked at yet."""
        if report.state is not ReportState.RECEIVED:
            return
        found = nature(self._pack, report.class_ref, report.condition, marked=report.urgent)
        accepted = accepted_by_rule(self._pack, report, found, emergency=report.emergency)
        if accepted is None:
            return
        await self._become_case(report, accepted, self._work.now())
        self._tell_registered_by_rule(report)

    async def mark_emergency(self, report: Report, reason: str) -> None:
        """Let a report go past the queue; its registration now runs day and night."""
        if report.emergency:
            return
        report.emergency = True
        report.urgent = True
        if report.is_open:
            reckon_report(report, self._pack)
        self._work.record(report, "mark-emergency", reason=reason)

    async def complete_from_ticket(self, report: Report, draft: Draft) -> None:
        """Fill in what an emergency call had left open and its ticket says now."""
        if not report.is_open:
            return
        report.description = draft.description
        report.confidential = report.confidential or draft.confidential
        report.reporter_id = report.reporter_id or draft.reporter_id
        report.direct_unit, report.direct_by = draft.direct_unit, draft.direct_by
        if draft.class_ref is not None and report.class_ref is None:
            report.set_class(draft.class_ref)
        if report.needs_place:
            report.set_place(draft.place, cell_of(draft.place.longitude, draft.place.latitude))
        found = nature(self._pack, report.class_ref, report.condition, marked=report.urgent)
        report.urgent, report.special = found.urgent, found.special
        self._work.record(report, "complete")

    async def follow_case(
        self, case_id: UUID, state: str, at: datetime, conclusion: str | None = None
    ) -> None:
        """Write on every report of a case how the case goes on, for the eyes of the reporters."""
        await repository.note_case_state(self._work.session, case_id, state, at, conclusion)

    async def leave_contact(
        self, seal: Seal, report: Report, name: str | None, number: str | None
    ) -> None:
        if not (name or number):
            return
        row = ReporterContact(report_id=report.id, created_at=self._work.now())
        row.name_sealed = seal.close(name, row.name_slot) if name else None
        row.number_sealed = seal.close(number, row.number_slot) if number else None
        self._work.session.add(row)

    async def reveal_contact(self, seal: Seal, report: Report, reason: str) -> RevealedContact:
        """Show who reported it; the look is on the audit record.

        Raises:
            ContactNotGiven: the reporter stayed anonymous.
        """
        contact = await contact_of(self._work.session, seal, report.id)
        if contact is None:
            raise ContactNotGiven("Nobody left a name or number with this report.")
        self._work.audit("reveal-contact", f"report:{report.id}", reason=reason)
        return contact

    async def require_public_quota(self, address: str, most: int) -> None:
        """Count a report without sign-in against its network address.

        Raises:
            TooManyReports: there were `most` within this hour.
        """
        now = self._work.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        digest = digest_of(f"{hour.date()}:{address}")
        if await repository.count_address(self._work.session, digest, hour) > most:
            raise TooManyReports(
                f"At most {most} reports an hour from one address; in an emergency call us."
            )

    # -- inner steps ---------------------------------------------------------------------------

    async def _drawn_up(self, draft: Draft, found: Nature, now: datetime) -> Report:
        ref, place = draft.class_ref, draft.place
        number = await self._numbers.next_report_number(self._work.session, now)
        token = follow_token(draft.follow_key, number) if draft.follow_key else None
        report = Report(
            id=uuid7(),
            number=number,
            state=ReportState.RECEIVED,
            source=draft.source,
            channel=draft.channel,
            reporter_id=draft.reporter_id,
            client_key=draft.client_key,
            external_id=draft.external_id,
            external_key=(
                f"{draft.reporter_id}:{draft.external_id}" if draft.external_id else None
            ),
            ticket_id=draft.ticket_id,
            class_scheme=ref.scheme if ref else None,
            class_kind=ref.kind if ref else None,
            class_code=ref.code if ref else None,
            condition=found.condition.code if found.condition else None,
            description=draft.description,
            urgent=found.urgent,
            special=found.special,
            emergency=draft.emergency,
            confidential=draft.confidential,
            direct_unit=draft.direct_unit,
            direct_by=draft.direct_by,
            longitude=place.longitude,
            latitude=place.latitude,
            accuracy_m=place.accuracy_m,
            position_source=place.position_source,
            address=place.address,
            grid=place.grid,
            cell=cell_of(place.longitude, place.latitude),
            needs_place=needs_place(place),
            device_position=draft.device_position,
            box=draft.box,
            media=list(draft.media),
            observed_at=draft.observed_at,
            received_at=now,
            follow_digest=digest_of(token) if token else None,
        )
        reckon_report(report, self._pack)
        return report

    async def _become_case(self, report: Report, accepted: ByRule, now: datetime) -> None:
        report.state = next_state(report.state, ReportAction.REGISTER)
        report.set_class(accepted.class_ref)
        report.condition, report.class_assumed = accepted.condition.code, accepted.class_assumed
        report.urgent, report.special = accepted.nature.urgent, accepted.nature.special
        report.case_id = uuid7()
        report.case_number = await self._numbers.next_case_number(self._work.session, now)
        report.case_state, report.case_changed_at = "registered", now
        report.decided_at, report.by_rule = now, accepted.rule

    def _tell_registered_by_rule(self, report: Report) -> None:
        with by_rule(self._work, report.by_rule or ""):
            self._work.tell(report, report.registered_fact())
            self._work.record(
                report,
                "register",
                from_state=ReportState.RECEIVED,
                to_state=ReportState.REGISTERED,
                details={"case_number": report.case_number},
            )

    async def _sent_before(self, report: Report) -> Report:
        earlier = await repository.sent_before(
            self._work.session,
            client_key=report.client_key,
            external_key=report.external_key,
            ticket_id=report.ticket_id,
        )
        if earlier is None:
            raise Conflict("The report could not be numbered; send it again.")
        return earlier

    def _require_open(self, report: Report, what: str) -> None:
        if not report.is_open:
            raise ReportStateForbids(
                f"A report that is {report.state} is decided: it is too late to {what}.",
                state=report.state.value,
                allowed=[],
            )


def _marked(draft: Draft) -> bool:
    return draft.urgent or draft.emergency


async def public_report(session: AsyncSession, number: str, token: str) -> Report:
    """The report of a citizen who has its number and its token.

    Raises:
        ReportNotFound: no such report, or another token; nobody learns which.
    """
    report = await repository.by_number(session, number)
    digest = report.follow_digest if report else None
    if report is None or digest is None or not hmac.compare_digest(digest, digest_of(token)):
        raise ReportNotFound("There is no report with this number and token.")
    return report


async def forget_old_addresses(session: AsyncSession, now: datetime) -> None:
    await repository.forget_addresses(session, now - timedelta(days=2))
