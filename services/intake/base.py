"""The tables of intake: its own metadata, with the kernel's tables in it."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from shared.db import Aggregate, kernel_tables, service_metadata

metadata = service_metadata()
tables = kernel_tables(metadata)
_registry = registry(metadata=metadata)


class IntakeTable(SQLModel, registry=_registry):
    """A plain table of intake."""

    __abstract__ = True


class IntakeAggregate(Aggregate, registry=_registry):
    """A thing that intake owns and tells about."""

    __abstract__ = True
