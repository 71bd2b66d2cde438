"""What every test may ask for: databases on both engines, the sample city, RabbitMQ."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from shared.observability.logs import configure_logs
from shared.pack.loader import load_pack
from shared.pack.model import CityPack

configure_logs("WARNING")

ROOT = Path(__file__).parents[1]
POSTGRES = os.environ.get(
    "MINQING_TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"
).replace("postgresql+psycopg:", "postgresql:")
RABBIT = os.environ.get("MINQING_TEST_RABBIT_URL", "amqp://guest:guest@127.0.0.1:5672/")


@pytest.fixture(scope="session")
def qilihe() -> CityPack:
    """The sample city."""
    return load_pack(ROOT / "packs" / "qilihe")


@pytest.fixture(scope="session")
def nyc311() -> CityPack:
    """The second city, which has nothing in common with the first."""
    return load_pack(ROOT / "packs" / "nyc311")


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """A database of a server on which a test may make and drop its own."""
    return POSTGRES


@pytest.fixture(scope="session")
def rabbit_url() -> str:
    return RABBIT


@pytest.fixture(scope="session")
def _postgres_database() -> Iterator[str]:
    """One empty database for this test process."""
    name = f"minqing_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    base = POSTGRES.rsplit("/", 1)[0]
    yield f"{base}/{name}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        # This one, and those that services under test have made beside it.
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE %s", (f"{name}%",)
        ).fetchall()
        for (database,) in found:
            connection.execute(f'DROP DATABASE "{database}" WITH (FORCE)')


@pytest.fixture
def postgres_url(_postgres_database: str) -> str:
    """SQLAlchemy URL of a database whose tables a test may drop and create."""
    return _postgres_database.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/test.db"


@pytest.fixture(
    params=[pytest.param("postgresql", marks=pytest.mark.postgres), "sqlite"],
)
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on both engines."""
    engine = "postgres_url" if request.param == "postgresql" else "sqlite_url"
    url: str = request.getfixturevalue(engine)
    return url
