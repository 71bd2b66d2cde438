"""Things die in the middle of the work; nothing is lost and nothing happens twice."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
from city import City
from conftest import Running

from shared.pack.model import Grid

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

CASES = 6


def _grids(city: City, first: int) -> list[Grid]:
    return list(itertools.islice(city.pack.grids.values(), first, first + CASES))


def _to_the_end(city: City, grid: Grid) -> str:
    case_id = city.open_case(grid)
    unit = city.dispatch(case_id)
    city.through_verification(case_id, unit, "passed")
    city.close(case_id)
    return case_id


def _work_while(running: Running, first: int, disturb) -> list[str]:  # noqa: ANN001
    """Several cases go their way while `disturb` does its worst."""
    with ThreadPoolExecutor(CASES) as pool:
        futures = [
            pool.submit(_to_the_end, running.city, grid) for grid in _grids(running.city, first)
        ]
        disturb()
        return [future.result(timeout=240) for future in futures]


def test_the_broker_is_killed_and_comes_back(killable: Running) -> None:
    def disturb() -> None:
        killable.broker.kill()
        killable.broker.start()

    done = _work_while(killable, 100, disturb)

    assert {killable.city.case(case_id)["state"] for case_id in done} == {"closed"}


@pytest.mark.parametrize("victim", ["dispatch-worker", "intake-worker", "dispatch-api"])
def test_a_process_is_killed_and_started_again(killable: Running, victim: str) -> None:
    process = killable.suite.processes[victim]

    def disturb() -> None:
        for _ in range(2):
            process.kill()
            process.start()
            killable.suite.wait_until_ready()

    first = 120 + 20 * ["dispatch-worker", "intake-worker", "dispatch-api"].index(victim)
    done = _work_while(killable, first, disturb)

    assert {killable.city.case(case_id)["state"] for case_id in done} == {"closed"}


def test_a_frozen_worker_is_thawed_and_does_nothing_twice(killable: Running) -> None:
    process = killable.suite.processes["dispatch-worker"]

    def disturb() -> None:
        process.freeze()
        killable.suite.processes["intake-worker"].is_ready()
        process.thaw()

    done = _work_while(killable, 190, disturb)

    assert {killable.city.case(case_id)["state"] for case_id in done} == {"closed"}
