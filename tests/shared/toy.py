"""A service just large enough to try the kernel on."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import registry
from sqlmodel import Field, select

from shared.auth.principal import Principal
from shared.db import Aggregate, kernel_tables, service_metadata
from shared.errors import Conflict, NotFound
from shared.events import Event, Received
from shared.inbox.subscriptions import Subscriptions
from shared.service import Runtime, Service
from shared.timers.timer import Ring, Timer
from shared.vocabulary import Role
from shared.web.etag import IfMatch, check_match, set_etag
from shared.web.fields import Line
from shared.web.paging import Page, PageRequest, after, page_of, page_request
from shared.web.policy import anyone, requires
from shared.web.route import CommandRoute, KeylessCommandRoute, ReadSessionDep, WorkDep
from shared.work import UnitOfWork

metadata = service_metadata()
tables = kernel_tables(metadata)


class ToyAggregate(Aggregate, registry=registry(metadata=metadata)):
    __abstract__ = True


class Lamp(ToyAggregate, table=True):
    __tablename__ = "lamps"

    street: str = Field(index=True)
    lit: bool = False
    heard: str = ""
    off_at: datetime | None = Field(default=None, index=True)


LAMPS = metadata.tables["lamps"]


class LampCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    street: Line


class LampView(BaseModel):
    id: UUID
    street: str
    lit: bool
    version: int


class LampLit(Event):
    TYPE: ClassVar[str] = "hotline.lamp.lit.v1"
    street: str


class AlreadyLit(Conflict):
    code = "already-lit"


router = APIRouter(prefix="/lamps", route_class=CommandRoute)
Operator = Annotated[Principal, Depends(requires(Role.OPERATOR))]


def view(lamp: Lamp) -> LampView:
    return LampView(id=lamp.id, street=lamp.street, lit=lamp.lit, version=lamp.version)


@router.post("", status_code=201)
async def create_lamp(
    body: LampCreate, work: WorkDep, _who: Operator, response: Response
) -> LampView:
    lamp = Lamp(street=body.street)
    work.session.add(lamp)
    work.record(lamp, "create", to_state="dark")
    await work.settle()
    set_etag(response, lamp)
    response.headers["Location"] = f"/lamps/{lamp.id}"
    return view(lamp)


@router.post("/quick", status_code=201)
async def add_lamp(body: LampCreate, work: WorkDep, _who: Operator) -> LampView:
    """Adds a lamp without a session: the row, its journal and its event in one round trip."""
    lamp = Lamp(street=body.street)
    work.tell(lamp, LampLit(street=lamp.street))
    work.record(lamp, "create", to_state="dark")
    work.insert(LAMPS, **lamp.model_dump())
    return view(lamp)


@router.post("/{lamp_id}/light")
async def light_lamp(
    lamp_id: UUID, work: WorkDep, _who: Operator, response: Response, if_match: IfMatch = None
) -> LampView:
    lamp = await work.session.get(Lamp, lamp_id)
    if lamp is None:
        raise NotFound("There is no such lamp.")
    check_match(lamp, if_match)
    if lamp.lit:
        raise AlreadyLit("It is lit already.", allowed=["darken"])
    lamp.lit = True
    work.tell(lamp, LampLit(street=lamp.street))
    work.record(lamp, "light", from_state="dark", to_state="lit")
    await work.settle()
    set_etag(response, lamp)
    return view(lamp)


@router.get("")
async def list_lamps(
    session: ReadSessionDep, _who: Operator, page: Annotated[PageRequest, Depends(page_request)]
) -> Page[LampView]:
    rows = (await session.exec(after(select(Lamp), [Lamp.street, Lamp.id], page))).all()
    return page_of(rows, page, lambda lamp: [lamp.street, lamp.id], view)


public = APIRouter(
    prefix="/public", route_class=KeylessCommandRoute, dependencies=[Depends(anyone)]
)


@public.post("/lamps", status_code=201)
async def report_lamp(body: LampCreate, work: WorkDep) -> LampView:
    lamp = Lamp(street=body.street)
    work.session.add(lamp)
    return view(lamp)


@public.post("/broken")
async def break_down() -> None:
    raise RuntimeError("a fault of the program")


subscriptions = Subscriptions("toy")


class Counted(Event):
    TYPE: ClassVar[str] = "intake.counter.counted.v1"
    number: int
    fail: bool = False


class CountedTwice(Event):
    TYPE: ClassVar[str] = "intake.counter.stepped_over.v1"


FAILING: set[int] = set()


async def on_counted(received: Received[Counted], work: UnitOfWork, _runtime: Runtime) -> None:
    number = received.event.number
    if number in FAILING:
        raise RuntimeError(f"cannot count {number}")
    lamp = await work.session.get(Lamp, received.subject)
    if lamp is None:
        lamp = Lamp(id=received.subject, street="counted")
        work.session.add(lamp)
    lamp.heard = f"{lamp.heard},{number}".lstrip(",")
    work.tell(lamp, LampLit(street=str(number)))


subscriptions.on(Counted)(on_counted)


class LampTurnedOff(Event):
    TYPE: ClassVar[str] = "hotline.lamp.turned_off.v1"
    due_at: datetime


REFUSING: set[str] = set()


async def turn_off(ring: Ring, work: UnitOfWork, _runtime: Runtime) -> None:
    lamp = await work.session.get_one(Lamp, ring.subject)
    lamp.lit = False
    work.tell(lamp, LampTurnedOff(due_at=ring.due_at), at=ring.due_at)
    if lamp.street in REFUSING:
        raise RuntimeError(f"{lamp.street} cannot be turned off")


service = Service(
    name="hotline",
    summary="Lamps",
    metadata=metadata,
    tables=tables,
    routers=[router, public],
    subscriptions=subscriptions,
    timers=[Timer.on("lamps-off", Lamp, "off_at", turn_off)],
)
