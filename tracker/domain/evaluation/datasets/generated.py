"""Datasets that jobs make: what they are called, and which columns play which part."""

from __future__ import annotations

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.datasets.filenames import sanitised
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.ids import JobId

__all__ = ["generated_columns", "generated_name"]

_ID_DIGITS = 12


def generated_columns(columns: Columns, kind: JobKind, output_field: str) -> Columns:
    """Which columns play which part when answers stand in the column `output_field`.

    Raises:
        Invalid: the answers would take the place of another part.
    """
    if output_field == columns.examples:
        raise Invalid.field("output_field", f"{output_field} is the column of the examples; take another")
    if kind is JobKind.ANNOTATE:
        if output_field == columns.predictions:
            raise Invalid.field("output_field", f"{output_field} is the column of predictions; take another")
        return columns.evolve(ground_truth=output_field)
    if output_field == columns.ground_truth:
        return columns
    return columns.evolve(predictions=output_field)


def generated_name(filename: str, output_field: str, job_id: JobId) -> str:
    """The file name of the dataset that a job makes of `filename`: one of its own, in JSON Lines."""
    stem = filename.rpartition(".")[0] or filename
    return sanitised(f"{stem[:80]}-{output_field[:40]}-{job_id.hex[-_ID_DIGITS:]}.jsonl")
