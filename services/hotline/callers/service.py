"""Taking callers in, showing them on the record, forgetting them."""

from uuid import UUID

import structlog

from services.hotline.callers.domain import normalise_number, refuse_personal_data
from services.hotline.callers.errors import CallerNotFound
from services.hotline.callers.models import Caller
from services.hotline.callers.repository import CallerRepository
from services.hotline.callers.schemas import CallerView, RevealedCaller, masked
from services.hotline.config import HotlineSettings, settings_of
from shared.seal.domain import Seal, SealBroken
from shared.seal.service import seal_of_service
from shared.service import Runtime
from shared.work import UnitOfWork

log = structlog.get_logger()


def seal_of(runtime: Runtime) -> Seal:
    """The seal of callers' data.

    Raises:
        PersonalDataKeyMissing: no key is set, and there is no own folder to keep one in.
    """
    return seal_of_service(runtime, settings_of(runtime).personal_data_key)


class CallerDesk:
    """Reads callers for those who show them; masked unless somebody asks on the record."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def view(self, caller: Caller) -> CallerView:
        """The caller, masked; what cannot be opened is left out, so that a list still opens."""
        try:
            number, name = self.data_of(caller)
        except SealBroken:
            log.warning("callers.unreadable", caller=str(caller.id))
            number, name = None, None
        shown_number, shown_name = masked(number, name)
        return CallerView(
            id=caller.id,
            number=shown_number,
            name=shown_name,
            seen_at=caller.seen_at,
            erased=caller.erased_at is not None,
            version=caller.version,
        )

    def data_of(self, caller: Caller) -> tuple[str | None, str | None]:
        """Number and name in clear.

        Raises:
            SealBroken: they cannot be opened.
        """
        number, name = caller.number_sealed, caller.name_sealed
        return (
            self._seal.open(number, caller.number_slot) if number else None,
            self._seal.open(name, caller.name_slot) if name else None,
        )


class CallerService:
    """Commands on callers."""

    def __init__(self, work: UnitOfWork, seal: Seal, settings: HotlineSettings) -> None:
        self.work = work
        self.callers = CallerRepository(work.session)
        self.desk = CallerDesk(seal)
        self._seal = seal
        self._settings = settings

    @classmethod
    def of(cls, work: UnitOfWork, runtime: Runtime) -> "CallerService":
        return cls(work, seal_of(runtime), settings_of(runtime))

    async def take_in(self, *, number: str, name: str | None = None) -> Caller | None:
        """The caller of a number, stored if new; None where the number was withheld.

        Raises:
            NumberInvalid: it is no telephone number.
        """
        plain = normalise_number(number, self._settings.country_code)
        if plain is None:
            return None
        caller = await self.callers.find(self._seal.indexes(plain))
        if caller is None:
            caller = await self.callers.add(self._new(plain))
        caller.seen_at = max(caller.seen_at, self.work.now())
        if name is not None:
            caller.name_sealed = self._seal.close(name, caller.name_slot)
        return caller

    async def look_up(self, *, number: str) -> Caller:
        """The caller of a number.

        Raises:
            CallerNotFound: nobody has called from there, or the number was withheld.
        """
        plain = normalise_number(number, self._settings.country_code)
        caller = await self.callers.find(self._seal.indexes(plain)) if plain else None
        if caller is None:
            raise CallerNotFound("Nobody has called from this number.")
        return caller

    async def reveal(self, *, caller_id: UUID, reason: str) -> RevealedCaller:
        """Show a caller in clear and leave a trace of it in the same transaction."""
        caller = await self.callers.get(caller_id)
        self.work.audit("caller.reveal", f"caller:{caller.id}", reason=reason)
        number, name = self.desk.data_of(caller)
        return RevealedCaller(id=caller.id, number=number, name=name)

    async def erase(self, *, caller_id: UUID, reason: str) -> Caller:
        """Forget who it was; calls and tickets stay, with nobody's name on them."""
        caller = await self.callers.get(caller_id)
        if caller.erased_at is None:
            caller.number_sealed = caller.name_sealed = None
            caller.number_index = f"erased:{caller.id}"
            caller.erased_at = self.work.now()
            self.work.record(caller, "erase", to_state="erased", reason=reason)
        self.work.audit("caller.erase", f"caller:{caller.id}", reason=reason)
        return caller

    def refuse_personal_data(self, text: str, where: str, *, of: Caller | None = None) -> None:
        """Keep personal data out of a text that leaves this service, unless that is switched off.

        Raises:
            PersonalDataInText: it holds some.
        """
        if not self._settings.refuse_personal_data_in_text:
            return
        name = self.desk.data_of(of)[1] if of is not None else None
        refuse_personal_data(text, where, names=[name] if name else [])

    def _new(self, number: str) -> Caller:
        now = self.work.now()
        caller = Caller(number_index=self._seal.index(number), created_at=now, seen_at=now)
        caller.number_sealed = self._seal.close(number, caller.number_slot)
        return caller
