"""Datasets on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.evaluation.datasets.dataset import Dataset

from .wire import Closed

__all__ = [
    "DatasetDownloadOut", "DatasetForm", "DatasetOut", "DatasetPageOut", "DownloadQuery", "dataset_out",
]  # fmt: skip


class DatasetForm(Closed):
    """The fields beside the file; `project_id`, which is ours, stands before it."""

    format: Literal["job"] = "job"
    project_id: UUID | None = Field(default=None, description="Left out: your project `evaluations`")


class DownloadQuery(Closed):
    """Which of the files."""

    extension: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="Only of files whose name ends so, such as csv"
    )


class DatasetOut(TypedDict):
    """A dataset. From `project_id` on the fields are ours."""

    id: UUID
    filename: str
    format: str
    size: int
    ground_truth: bool
    run_id: UUID | None
    generated: bool
    generated_by: str | None
    created_at: datetime
    project_id: UUID
    kind: str
    rows: int
    ground_truth_rows: int
    columns: list[str]
    revision: int
    previous_id: UUID | None
    source_id: UUID | None
    content_hash: str
    label: str | None


class DatasetPageOut(TypedDict):
    """Some of the datasets, and how many match in all."""

    total: int
    items: list[DatasetOut]


class DatasetDownloadOut(TypedDict):
    """Where its files can be fetched for an hour, without credentials."""

    id: UUID
    download_urls: list[str]


def dataset_out(dataset: Dataset) -> DatasetOut:
    """A dataset as clients see it."""
    lineage = dataset.lineage
    return {
        "id": dataset.id,
        "filename": dataset.filename,
        "format": dataset.format.value,
        "size": dataset.size,
        "ground_truth": dataset.has_ground_truth,
        "run_id": None if lineage is None else lineage.job_id,
        "generated": dataset.generated,
        "generated_by": None if lineage is None else lineage.generated_by,
        "created_at": dataset.created_at,
        "project_id": dataset.project_id,
        "kind": dataset.kind.value,
        "rows": dataset.coverage.rows,
        "ground_truth_rows": dataset.coverage.ground_truth,
        "columns": list(dataset.names),
        "revision": dataset.revision,
        "previous_id": dataset.previous_id,
        "source_id": None if lineage is None else lineage.source_id,
        "content_hash": dataset.content_hash,
        "label": dataset.label,
    }
