"""One fault in a file that people wrote: where it stands and what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A fault that a checker found.

    Attributes:
        file: path of the file as the reader named it.
        line: line counted from 1; 0 when the fault is that something is absent from the whole file.
        message: what is wrong and what would be right.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"
