"""One database per service, on PostgreSQL or SQLite, behind the same few names."""

from shared.db.columns import enum_column, json_column
from shared.db.database import Database
from shared.db.tables import Aggregate, KernelTables, kernel_tables, service_metadata

__all__ = [
    "Aggregate",
    "Database",
    "KernelTables",
    "enum_column",
    "json_column",
    "kernel_tables",
    "service_metadata",
]
