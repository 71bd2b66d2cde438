"""What must hold for every route of every service, checked on the routes themselves."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from services.composition import SERVICES, service_named
from shared.web.policy import POLICY
from shared.web.route import SAFE_METHODS, CommandRoute


def _routes(name: str) -> Iterator[tuple[str, Any, APIRoute]]:
    """Path, everything the route depends on, and the route."""
    app = FastAPI()
    for router in service_named(name).routers:
        app.include_router(router)
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            effective = context._route_context or context.original_route
            yield str(context.path), effective.dependant, context.original_route


def _calls(dependant: Any) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_says_who_may_call_it(name: str) -> None:
    open_routes = [
        f"{sorted(route.methods)} {path}"
        for path, dependant, route in _routes(name)
        if not any(hasattr(call, POLICY) for call in _calls(dependant))
    ]

    assert open_routes == []


UPLOADS = {"/media", "/public/media"}
"""Content-addressed, so safe to repeat; decoding a picture must not hold a transaction open."""


@pytest.mark.parametrize("name", SERVICES)
def test_every_command_has_one_transaction(name: str) -> None:
    outside = [
        f"{sorted(route.methods)} {path}"
        for path, _dependant, route in _routes(name)
        if not route.methods <= SAFE_METHODS
        and not isinstance(route, CommandRoute)
        and path not in UPLOADS
    ]

    assert outside == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_dependency_or_endpoint_goes_through_a_thread(name: str) -> None:
    """A plain function costs a thread hop on each request; nothing of ours blocks."""
    slow = {
        f"{path}: {call!r}"
        for path, dependant, route in _routes(name)
        for call in [*_calls(dependant), route.endpoint]
        if not inspect.iscoroutinefunction(call)
    }

    assert slow == set()


@pytest.mark.parametrize("name", SERVICES)
def test_every_operation_is_described(name: str) -> None:
    silent = [path for path, _, route in _routes(name) if not inspect.getdoc(route.endpoint)]

    assert silent == []
