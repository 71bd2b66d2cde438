"""Folds everything that is recorded, cohort by cohort, in several processes beside each other."""

import contextlib
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from services.assessment.assignments.domain import AssignmentColumns, fold_assignments
from services.assessment.records.domain import records
from services.assessment.records.repository import RecordReader

RECORDS_A_FOLD = 1_500_000
"""What one process holds at a time, unless a single cohort is larger: some 100 MB of records."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Assignments of all cases asked for, sorted by case, and the codes of their units by key."""

    columns: AssignmentColumns
    units: Mapping[int, str]


def fold_recorded(
    url: str,
    *,
    processes: int = 1,
    due_from: int | None = None,
    due_until: int | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Folded:
    """Fold the records of all cases.

    Args:
        url: SQLAlchemy URL of the service's database.
        processes: how many fold at once; with one, nothing is started.
        due_from: leave out assignments due before this instant, in microseconds.
        due_until: leave out assignments due at this instant or later.
        told: is told how many records have been folded, from time to time.
    """
    reader = RecordReader(url)
    chunks = chunks_of(reader.cohorts())
    fold = partial(_fold_cohorts, url, due_from, due_until)
    parts: list[AssignmentColumns] = []
    with contextlib.ExitStack() as stack:
        if processes > 1 and chunks:
            context = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(processes, mp_context=context))
            folds = pool.map(fold, chunks)
        else:
            folds = map(fold, chunks)
        for (_, _, amount), part in zip(chunks, folds, strict=True):
            parts.append(part)
            told(amount)
    nothing = fold_assignments(records([]))
    return Folded(AssignmentColumns.joined(parts or [nothing]), reader.units())


def chunks_of(cohorts: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Runs of cohorts that are folded together: first, last, number of records."""
    chunks: list[tuple[int, int, int]] = []
    for cohort, amount in cohorts:
        if chunks and chunks[-1][2] + amount <= RECORDS_A_FOLD:
            first, _, total = chunks[-1]
            chunks[-1] = (first, cohort, total + amount)
        else:
            chunks.append((cohort, cohort, amount))
    return chunks


def _fold_cohorts(
    url: str, due_from: int | None, due_until: int | None, chunk: tuple[int, int, int]
) -> AssignmentColumns:
    first, last, _ = chunk
    columns = fold_assignments(RecordReader(url).read(first, last))
    if due_from is not None:
        columns = columns.take(columns.due_at >= due_from)
    if due_until is not None:
        columns = columns.take(columns.due_at < due_until)
    return columns
