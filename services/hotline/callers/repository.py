"""Finding callers again without storing what they are called by."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.hotline.callers.errors import CallerNotFound
from services.hotline.callers.models import Caller


class CallerRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, caller_id: UUID) -> Caller:
        """The caller of an id.

        Raises:
            CallerNotFound: there is none.
        """
        caller = await self.session.get(Caller, caller_id)
        if caller is None:
            raise CallerNotFound("There is no such caller.")
        return caller

    async def find(self, marks: Sequence[str]) -> Caller | None:
        """The caller with one of these marks."""
        statement = select(Caller).where(col(Caller.number_index).in_(marks))
        return (await self.session.exec(statement)).first()

    async def add(self, caller: Caller) -> Caller:
        """Store a new caller; two calls of one number at once end with the same row."""
        table = Caller.__table__  # type: ignore[attr-defined]
        values = {column.name: getattr(caller, column.name) for column in table.columns}
        on_sqlite = self.session.get_bind().dialect.name == "sqlite"
        insert = sqlite.insert(table) if on_sqlite else postgresql.insert(table)
        await self.session.exec(insert.on_conflict_do_nothing().values(**values))
        stored = await self.find([caller.number_index])
        if stored is None:
            raise CallerNotFound("The caller was erased at this very moment; send it again.")
        return stored
