"""The seal of a running service."""

import base64
import os
import secrets
from pathlib import Path

import sqlalchemy as sa
import structlog
from pydantic import SecretStr

from shared.ids import uuid7
from shared.seal.domain import KEY_BYTES, PersonalDataKeyMissing, Seal
from shared.service import Runtime

log = structlog.get_logger()


def seal_of_service(runtime: Runtime, key: SecretStr | None) -> Seal:
    """The seal that a service closes personal data with.

    Args:
        runtime: of the service.
        key: the one that is set, base64; on SQLite one is made beside the database where none is.

    Raises:
        PersonalDataKeyMissing: no key is set, and there is no own folder to keep one in.
    """
    seal: Seal | None = runtime.extras.get("seal")
    if seal is None:
        text = key.get_secret_value() if key else _own_key(runtime)
        seal = runtime.extras["seal"] = Seal.from_text(runtime.service.name, text)
    return seal


def _own_key(runtime: Runtime) -> str:
    """The key of an installation on SQLite, made at its first start beside the database."""
    name = runtime.service.name
    database = sa.make_url(runtime.database.url).database
    if not runtime.database.is_sqlite or not database:
        raise PersonalDataKeyMissing(
            f"Set MINQING_{name.upper()}_PERSONAL_DATA_KEY (or the secret file of that name) to"
            f" the base64 of {KEY_BYTES} random bytes, e.g. from: openssl rand -base64 {KEY_BYTES}."
        )
    path = Path(database).parent / f"{name}-personal-data.key"
    if not path.exists():
        _create_key(path)
    return path.read_text().strip()


def _create_key(path: Path) -> None:
    """Write a new key as a whole; whoever comes second keeps the first one's."""
    draft = path.with_name(f"{path.name}.{uuid7()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
        log.info("seal.key_created", path=str(path))
    except FileExistsError:
        pass
    finally:
        draft.unlink()
