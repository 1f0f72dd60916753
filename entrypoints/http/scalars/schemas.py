"""What the scalars service takes and answers, in snake_case."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

from pydantic import AfterValidator, Field, WithJsonSchema
from typing_extensions import TypedDict

from tracker.domain.scalars.series import Axis, Ranking
from tracker.scalars_wire import ids_from

from ..schemas.columns import ColumnsIn
from ..schemas.scalar_queries import ProjectScalarsQuery
from ..schemas.wire import Closed

__all__ = [
    "Answer", "Answers", "AppendIn", "BatchIn", "BranchIn", "CurvesQuery", "DeleteIn", "EmptyIn", "ExistsOut",
    "ExperimentRow", "MaintainIn", "MessageOut", "Nothing", "OneIn", "ProjectIn", "ProjectOut",
    "ProtocolOut", "ReadIn", "SampleIn", "Sampling", "SinceIn", "SummaryIn", "TagsIn", "TopIn",
]  # fmt: skip

Sampling = Literal["reservoir", "uniform", "all"]

_bytes = WithJsonSchema({"type": "string", "format": "binary", "description": "16 bytes for each id"})
PackedIds = Annotated[Any, AfterValidator(ids_from), _bytes]


def _one_id(content: object) -> UUID:
    ids = ids_from(content)
    if len(ids) != 1:
        raise ValueError("must be the 16 bytes of one id")
    return ids[0]


PackedId = Annotated[Any, AfterValidator(_one_id), _bytes]
Bounded = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
Window = tuple[Bounded | None, Bounded | None]


class ProjectIn(Closed):
    """Which project to keep scalars of."""

    project_id: UUID


class ProjectOut(TypedDict):
    """A project that has been created."""

    table_name: str
    project_id: UUID


class ExistsOut(ProjectOut):
    """Whether it has."""

    exists: bool


class ExperimentRow(TypedDict):
    """An experiment that has points."""

    experiment_id: UUID


class MessageOut(TypedDict):
    """What was done."""

    message: str


class CurvesQuery(ProjectScalarsQuery):
    """Which curves, and how far to thin them.

    `sampling` is ``reservoir`` or ``uniform``: both keep the first, lowest, highest and last point of
    each of ``max_points / 4`` equal parts of the steps, nothing by chance, so that no extreme is lost; or
    ``all``: every point, whatever `max_points` says.
    """

    sampling: Sampling = "reservoir"


class ProtocolOut(TypedDict):
    """What the service speaks beyond the contract."""

    protocol: str
    version: int
    branches: bool


class Nothing(TypedDict):
    """It is done."""

    status: Literal["ok"]


class BatchIn(ColumnsIn):
    """A batch of one experiment."""

    experiment_id: PackedId


class AppendIn(Closed):
    """Batches of a project; each is kept, or not, on its own."""

    batches: list[BatchIn]


class Answer(TypedDict):
    """What became of one batch."""

    status: Literal["logged", "refused"]
    code: NotRequired[str]
    detail: NotRequired[str]
    retry_after: NotRequired[float]


class Answers(TypedDict):
    """What became of each batch, in their order."""

    answers: list[Answer]


class ReadIn(Closed):
    """Points of one series with ``first_step <= step <= last_step``; null leaves a side open."""

    experiment_id: PackedId
    name: str
    first_step: Bounded | None
    last_step: Bounded | None


class SampleIn(Closed):
    """Which series to thin, and how far; `steps` and `window` are the first and the last step and time."""

    experiments: PackedIds
    names: list[str] | None
    max_points: Annotated[int, Field(ge=1)] | None
    axis: Axis
    steps: Window
    window: Window


class SinceIn(Closed):
    """What is new of an experiment; a null cursor means everything."""

    experiment_id: PackedId
    cursor: Annotated[str, Field(max_length=64)] | None
    names: list[str] | None


class OneIn(Closed):
    """Which experiment."""

    experiment_id: PackedId


class EmptyIn(Closed):
    """Needs no fields."""


class SummaryIn(Closed):
    """Of which series; null means all."""

    experiments: PackedIds | None
    names: list[str] | None


class TopIn(Closed):
    """Which series rank."""

    name: str
    by: Ranking
    k: Annotated[int, Field(ge=0)]
    descending: bool


class TagsIn(Closed):
    """Tags of which experiment, and when."""

    experiment_id: PackedId
    window: Window


class BranchIn(Closed):
    """From which step on the points of an experiment move, and to which one."""

    experiment_id: PackedId
    step: Bounded
    into: PackedId


class DeleteIn(Closed):
    """Which experiment to delete; null means the project."""

    experiment_id: PackedId | None


class MaintainIn(Closed):
    """How many seconds to spend."""

    budget: Annotated[float, Field(ge=0, allow_inf_nan=False)]
