"""The form of an explanation in words."""

from uuid import UUID

from pydantic import BaseModel, Field


class WordsSection(BaseModel):
    """A heading and its lines, in the order in which they are read."""

    title: str
    lines: list[str]


class ClockWords(BaseModel):
    """What a person needs to check a clock with a pencil."""

    id: UUID
    number: str
    language: str = Field(examples=["zh"])
    zone: str = Field(description="zone of all times of day", examples=["Asia/Shanghai"])
    sections: list[WordsSection]
