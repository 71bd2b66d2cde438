"""Published keys, and their replacement."""

from fastapi import APIRouter, Depends, Response

from services.identity.keys.auth import KeyKeeper, KeyReader
from services.identity.keys.domain import signing
from services.identity.keys.models import SigningKey
from services.identity.keys.schemas import JsonWebKey, JsonWebKeySet, KeyView
from services.identity.keys.service import KeyService, keys_of, public_jwk
from shared.web.policy import anyone
from shared.web.route import CommandRoute, RuntimeDep, WorkDep

router = APIRouter(tags=["keys"], route_class=CommandRoute)


@router.get("/jwks.json", dependencies=[Depends(anyone)])
async def get_key_set(runtime: RuntimeDep, response: Response) -> JsonWebKeySet:
    """The public keys that tokens of the suite may be signed with (RFC 7517)."""
    response.headers["Cache-Control"] = "public, max-age=15"
    rows = await keys_of(runtime).published()
    return JsonWebKeySet(keys=[JsonWebKey.model_validate(public_jwk(row)) for row in rows])


@router.get("/keys")
async def list_keys(runtime: RuntimeDep, _reader: KeyReader) -> list[KeyView]:
    """The published keys, oldest first."""
    rows = await keys_of(runtime).published()
    chosen = signing(rows, runtime.clock.now())
    return [_view(row, signing=row is chosen) for row in rows]


@router.post("/keys", status_code=201)
async def rotate_key(work: WorkDep, runtime: RuntimeDep, _keeper: KeyKeeper) -> KeyView:
    """Begin to use a new signing key; tokens of the old one are taken until they expire."""
    return _view(await KeyService(work, runtime).rotate(), signing=False)


def _view(row: SigningKey, *, signing: bool) -> KeyView:
    return KeyView(
        id=row.id,
        created_at=row.created_at,
        signs_from=row.signs_from,
        retires_at=row.retires_at,
        signing=signing,
    )
