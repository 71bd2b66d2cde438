"""The tables of hotline: its own metadata, with the kernel's tables in it."""

from sqlalchemy.orm import registry
from sqlmodel import SQLModel

from shared.db import Aggregate, kernel_tables, service_metadata
from shared.messages.tables import message_table

metadata = service_metadata()
tables = kernel_tables(metadata)
messages = message_table(metadata)
_registry = registry(metadata=metadata)


class HotlineTable(SQLModel, registry=_registry):
    """A plain table of hotline."""

    __abstract__ = True


class HotlineAggregate(Aggregate, registry=_registry):
    """A thing that hotline owns and tells about."""

    __abstract__ = True
