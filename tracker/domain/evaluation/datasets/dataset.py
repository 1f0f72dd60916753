"""A dataset: what is known of its file, and where it came from."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.artifacts.digest import Digest, Size
from tracker.domain.errors import Conflict
from tracker.domain.evaluation.datasets.filenames import FileKind, sanitised
from tracker.domain.evaluation.datasets.rows import ColumnName, Columns
from tracker.domain.frozen import Frozen
from tracker.domain.ids import DatasetId, JobId, ProjectId, UserId
from tracker.domain.text import Label, storable

__all__ = ["Coverage", "Dataset", "DatasetFormat", "Lineage"]

Filename = Annotated[str, AfterValidator(sanitised)]
_Rows = Annotated[int, Field(ge=0)]


class DatasetFormat(StrEnum):
    """What a dataset is for."""

    JOB = "job"


class Coverage(Frozen):
    """How many rows say what.

    Attributes:
        rows: there are.
        ground_truth: of them say what should be answered.
        predictions: of them say what was answered.
    """

    rows: _Rows = 0
    ground_truth: _Rows = 0
    predictions: _Rows = 0

    @model_validator(mode="after")
    def _of_the_rows(self) -> Self:
        if max(self.ground_truth, self.predictions) > self.rows:
            raise PydanticCustomError("coverage", "more rows say something than there are")
        return self


class Lineage(Frozen):
    """Where a generated dataset came from.

    Attributes:
        job_id: the job that made it.
        source_id: the dataset it was made from; ``None`` when that is not known any more.
        generated_by: the model that answered.
    """

    job_id: JobId
    source_id: DatasetId | None = None
    generated_by: Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(storable)]


class Dataset(Frozen):
    """One revision of a dataset. Its content never changes: other content is another revision.

    Attributes:
        filename: sanitised; all revisions of a dataset share it.
        kind: how its file is written.
        size: of the file, in bytes.
        digest: SHA-256 of the file, by which its bytes are kept.
        content_hash: of its rows (:mod:`tracker.domain.evaluation.datasets.hashing`).
        names: of all columns, in the file's order.
        columns: which of them play which part.
        coverage: how many rows say what.
        lineage: of one that a job made; ``None`` of an upload.
        revision: 1, 2, ... of datasets of one name.
        previous_id: the revision before; ``None`` of the first, and when that was deleted.
        label: a name that people gave it, such as ``test-set``.
        version: counts the saves; a save of an older one is refused.
    """

    id: DatasetId
    project_id: ProjectId
    filename: Filename
    format: DatasetFormat = DatasetFormat.JOB
    kind: FileKind
    size: Size
    digest: Digest
    content_hash: Digest
    names: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    columns: Columns = Columns()
    coverage: Coverage
    lineage: Lineage | None = None
    revision: Annotated[int, Field(ge=1, lt=2**31)] = 1
    previous_id: DatasetId | None = None
    label: Label | None = None
    created_at: AwareDatetime
    created_by: UserId | None = None
    version: int = 0

    @model_validator(mode="after")
    def _has_examples(self) -> Self:
        if self.columns.examples not in self.names:
            raise PydanticCustomError("missing_examples", "there is no column of examples")
        if self.revision == 1 and self.previous_id is not None:
            raise PydanticCustomError("revisions", "the first revision has none before it")
        if self.id in (self.previous_id, self.lineage and self.lineage.source_id):
            raise PydanticCustomError("lineage", "a dataset comes of another, not of itself")
        return self

    @property
    def generated(self) -> bool:
        """Whether a job made it."""
        return self.lineage is not None

    @property
    def has_ground_truth(self) -> bool:
        """Whether any row says what should be answered."""
        return self.coverage.ground_truth > 0

    @property
    def extra(self) -> tuple[str, ...]:
        """The columns that play no part, and are kept downstream."""
        parts = {self.columns.examples, self.columns.ground_truth, self.columns.predictions}
        return tuple(name for name in self.names if name not in parts)

    def follows(self, previous: Dataset) -> Self:
        """This one, new, as the revision after `previous`.

        Raises:
            Conflict: `previous` is of another project or name, or its rows are the same.
        """
        if (previous.project_id, previous.filename) != (self.project_id, self.filename):
            raise Conflict(
                "dataset: a revision belongs to the project and has the file name of the one before"
            )
        if previous.content_hash == self.content_hash:
            raise Conflict(f"dataset: has the rows of revision {previous.revision}, {previous.id}")
        return self.evolve(revision=previous.revision + 1, previous_id=previous.id)

    def first_rows(self, most: int) -> int:
        """How many rows a limit of `most` leaves; 0 or less means all."""
        return self.coverage.rows if most <= 0 else min(most, self.coverage.rows)
