"""Supervision orders over HTTP: lists, the whole order, its commands, and the ledger."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status
from pydantic import AwareDatetime

from services.dispatch.clocks.domain import Light
from services.dispatch.supervision.auth import (
    Consenting,
    OrderReader,
    Supervising,
    UnitMember,
    seen_unit,
)
from services.dispatch.supervision.domain import KIND_OF, OrderKind, OrderState
from services.dispatch.supervision.errors import NoSuchOrder
from services.dispatch.supervision.models import SupervisionOrder
from services.dispatch.supervision.repository import OrderQuery, OrderRepository
from services.dispatch.supervision.schemas import (
    AcknowledgementCommand,
    AnswerCommand,
    AnswerView,
    ConsentCommand,
    ExtensionCommand,
    ExtensionView,
    JudgementCommand,
    LedgerOrder,
    OrderCommand,
    OrderFileView,
    OrderView,
    PublicationCommand,
    StrikingOffCommand,
)
from services.dispatch.supervision.service import NewOrder, OrderFile, SupervisionService
from shared.journal import read_journal
from shared.vocabulary import SupervisionCause, SupervisionLevel
from shared.web.etag import IfMatch, set_etag
from shared.web.paging import Page, PageRequest, page_of, page_request
from shared.web.route import CommandRoute, ReadSessionDep, RuntimeDep, WorkDep

router = APIRouter(prefix="/supervision-orders", tags=["supervision"], route_class=CommandRoute)


async def _supervision(work: WorkDep, runtime: RuntimeDep) -> SupervisionService:
    return SupervisionService.of(work, runtime)


SupervisionDep = Annotated[SupervisionService, Depends(_supervision)]


async def _query(
    *,
    runtime: RuntimeDep,
    principal: OrderReader,
    unit: Annotated[str | None, Query(max_length=60)] = None,
    state: OrderState | None = None,
    cause: SupervisionCause | None = None,
    kind: OrderKind | None = None,
    level: SupervisionLevel | None = None,
    light: Annotated[Light | None, Query(description="green, yellow or red, now")] = None,
    case: UUID | None = None,
    by_rule: bool | None = None,
    open: Annotated[  # noqa: A002 - the word of the address
        bool | None, Query(description="true: on the ledger; false: struck off")
    ] = None,
    ordered_from: Annotated[AwareDatetime | None, Query(description="included")] = None,
    ordered_to: Annotated[AwareDatetime | None, Query(description="excluded")] = None,
    order: Annotated[
        LedgerOrder, Query(description="due: what is due next comes first; newest: ordered last")
    ] = "due",
) -> OrderQuery:
    own = seen_unit(principal)
    of_kind = {one for one, its in KIND_OF.items() if kind is None or its is kind}
    causes = of_kind & {cause} if cause else of_kind
    return OrderQuery(
        now=runtime.clock.now(),
        unit=unit if own is None else own,
        state=state,
        causes=None if len(causes) == len(KIND_OF) else frozenset(causes),
        level=level,
        light=light,
        case_id=case,
        by_rule=by_rule,
        open=open,
        ordered_from=ordered_from,
        ordered_to=ordered_to,
        newest=order == "newest",
    )


QueryDep = Annotated[OrderQuery, Depends(_query)]


@router.get("")
async def list_orders(
    *,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    query: QueryDep,
    page: Annotated[PageRequest, Depends(page_request)],
) -> Page[OrderView]:
    """Orders with their colours; people of a unit see their own."""
    repository = OrderRepository(session)
    rows = await repository.page(query, page)
    cases = await repository.cases_of([row.id for row in rows])
    return page_of(
        rows,
        page,
        lambda row: (row.ordered_at if query.newest else row.due_at, row.id),
        lambda row: OrderView.of(row, cases.get(row.id, []), runtime.pack, query.now),
    )


@router.get("/{order_id}")
async def get_order(
    *,
    order_id: UUID,
    session: ReadSessionDep,
    runtime: RuntimeDep,
    principal: OrderReader,
    response: Response,
) -> OrderFileView:
    """One order with its answers, problem reports and journal."""
    repository = OrderRepository(session)
    row = await repository.order(order_id)
    own = seen_unit(principal)
    if row is None or (own is not None and row.unit != own):
        raise NoSuchOrder("There is no such order, or it is not to your unit.")
    cases = (await repository.cases_of([row.id])).get(row.id, [])
    view = OrderView.of(row, cases, runtime.pack, runtime.clock.now())
    answers = await repository.answers(row.id)
    extensions = await repository.extensions(row.id)
    set_etag(response, row)
    return OrderFileView(
        **view.model_dump(),
        answer_list=[AnswerView.of(answer) for answer in answers],
        extension_list=[ExtensionView.of(extension) for extension in extensions],
        journal=await read_journal(session, runtime.tables, SupervisionOrder.__tablename__, row.id),
    )


async def _answer(file: OrderFile, service: SupervisionService, response: Response) -> OrderView:
    await service.work.settle()
    set_etag(response, file.order)
    return OrderView.of(file.order, file.cases, service.pack, service.work.now())


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses={status.HTTP_200_OK: {"model": OrderView, "description": "it was there already"}},
)
async def open_order(
    *,
    command: OrderCommand,
    work: WorkDep,
    service: SupervisionDep,
    _principal: Supervising,
    response: Response,
) -> OrderView:
    """Put a matter into the ledger; if it stands there already, the answer is its entry (200)."""
    new = NewOrder(caused_at=work.now(), **dict(command))
    file, is_new = await service.open(new)
    if not is_new:
        response.status_code = status.HTTP_200_OK
    response.headers["Location"] = f"supervision-orders/{file.order.id}"
    return await _answer(file, service, response)


@router.post("/{order_id}/acknowledgement")
async def acknowledge_order(
    *,
    order_id: UUID,
    _command: AcknowledgementCommand,
    service: SupervisionDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> OrderView:
    """The unit takes note of the order."""
    file = await service.take(order_id, unit=principal.unit or "", if_match=if_match)
    service.acknowledge(file)
    return await _answer(file, service, response)


@router.post("/{order_id}/answers")
async def answer_order(
    *,
    order_id: UUID,
    command: AnswerCommand,
    service: SupervisionDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> OrderView:
    """The unit answers with text and photographs; again, if an answer was sent back."""
    file = await service.take(order_id, unit=principal.unit or "", if_match=if_match)
    await service.answer(file, text=command.text, media=command.media)
    return await _answer(file, service, response)


@router.post("/{order_id}/judgement")
async def judge_answer(
    *,
    order_id: UUID,
    command: JudgementCommand,
    service: SupervisionDep,
    _principal: Supervising,
    response: Response,
    if_match: IfMatch = None,
) -> OrderView:
    """Accept the answer, or send it back with a reason."""
    file = await service.take(order_id, if_match=if_match)
    await service.judge(file, accepted=command.accepted, reason=command.reason)
    return await _answer(file, service, response)


@router.post("/{order_id}/striking-off")
async def strike_off_order(
    *,
    order_id: UUID,
    command: StrikingOffCommand,
    service: SupervisionDep,
    _principal: Supervising,
    response: Response,
    if_match: IfMatch = None,
) -> OrderView:
    """Take an order off the ledger whose answer was accepted."""
    file = await service.take(order_id, if_match=if_match)
    await service.strike_off(file, reason=command.reason)
    return await _answer(file, service, response)


@router.post("/{order_id}/publication")
async def publish_order(
    *,
    order_id: UUID,
    command: PublicationCommand,
    service: SupervisionDep,
    _principal: Supervising,
    response: Response,
    if_match: IfMatch = None,
) -> OrderView:
    """Note the bulletin in which the order was named."""
    file = await service.take(order_id, if_match=if_match)
    service.publish(file, bulletin=command.bulletin)
    return await _answer(file, service, response)


@router.post("/{order_id}/extensions", status_code=status.HTTP_201_CREATED)
async def ask_order_extension(
    *,
    order_id: UUID,
    command: ExtensionCommand,
    work: WorkDep,
    service: SupervisionDep,
    principal: UnitMember,
    response: Response,
    if_match: IfMatch = None,
) -> ExtensionView:
    """Report in writing what keeps the unit, and ask for a later date."""
    file = await service.take(order_id, unit=principal.unit or "", if_match=if_match)
    row = await service.ask_extension(
        file, report=command.report, media=command.media, until=command.until
    )
    await work.settle()
    set_etag(response, file.order)
    return ExtensionView.of(row)


@router.post("/{order_id}/extensions/{number}/decision")
async def decide_order_extension(
    *,
    order_id: UUID,
    number: int,
    command: ConsentCommand,
    service: SupervisionDep,
    _principal: Consenting,
    response: Response,
    if_match: IfMatch = None,
) -> OrderView:
    """A leader consents to the later date or does not."""
    file = await service.take(order_id, if_match=if_match)
    await service.decide_extension(file, number, granted=command.granted, reason=command.reason)
    return await _answer(file, service, response)
