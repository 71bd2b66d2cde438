"""The timer of an order: what the unit owes and has not done in time."""

from services.dispatch.supervision.models import SupervisionOrder
from services.dispatch.supervision.service import SupervisionService
from shared.service import Runtime
from shared.timers.timer import Ring, Timer
from shared.work import UnitOfWork


async def ring_order(ring: Ring, work: UnitOfWork, runtime: Runtime) -> None:
    """Tell that an order was not acknowledged, or not answered, in time."""
    service = SupervisionService.of(work, runtime)
    service.run_out(await service.take(ring.subject))


def order_timer() -> Timer:
    """The timer on the orders."""
    return Timer.on("order-due", SupervisionOrder, "timer_at", ring_order)
