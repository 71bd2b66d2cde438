"""Second factors over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.identity.passwords.auth import ActingOneself, SecurityAdministrator
from services.identity.second_factors.schemas import FactorConfirmation, FactorEnrolment
from services.identity.second_factors.service import SecondFactorService
from shared.auth.principal import Principal
from shared.errors import NotFound
from shared.web.route import CommandRoute, KeylessCommandRoute, RuntimeDep, WorkDep

router = APIRouter(tags=["second factors"], route_class=KeylessCommandRoute)
administration = APIRouter(tags=["second factors"], route_class=CommandRoute)


@router.post("/me/second-factor", status_code=201)
async def enrol_second_factor(
    work: WorkDep, runtime: RuntimeDep, oneself: ActingOneself
) -> FactorEnrolment:
    """Get a secret for an authenticator. Sending this again makes another one until confirmed."""
    return await SecondFactorService(work, runtime).enrol(account_of(oneself))


@router.post("/me/second-factor/confirmation", status_code=204, response_class=Response)
async def confirm_second_factor(
    command: FactorConfirmation, work: WorkDep, runtime: RuntimeDep, oneself: ActingOneself
) -> Response:
    """Prove that the authenticator works. All sessions end: sign in again with a code."""
    await SecondFactorService(work, runtime).confirm(account_of(oneself), command.code)
    return Response(status_code=204)


@administration.delete(
    "/accounts/{account_id}/second-factor", status_code=204, response_class=Response
)
async def remove_second_factor(
    account_id: UUID, work: WorkDep, runtime: RuntimeDep, _keeper: SecurityAdministrator
) -> Response:
    """Remove a lost authenticator; the person enrols a new one."""
    await SecondFactorService(work, runtime).remove(account_id)
    return Response(status_code=204)


def account_of(principal: Principal) -> UUID:
    """The account behind a principal.

    Raises:
        NotFound: it is no account of ours.
    """
    try:
        return UUID(principal.id)
    except ValueError:
        raise NotFound("There is no account behind this token.") from None
