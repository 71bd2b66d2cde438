"""Column types that mean the same on both engines."""

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

ENUM_LENGTH = 40


def enum_column(enum: type[StrEnum]) -> Enum:
    """A text column checked against the values of `enum`.

    The default of SQLModel would be a native enum of the member names, which no migration can
    shrink and no other program can read.
    """
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=ENUM_LENGTH,
        values_callable=lambda members: [member.value for member in members],
    )


def json_column() -> TypeEngine[Any]:
    return JSON().with_variant(JSONB(), "postgresql")
