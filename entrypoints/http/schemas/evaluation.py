"""What evaluation shares on the wire: texts, numbers, tasks, models, listings. All of it is in snake_case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.tasks import TaskDefinition

from .wire import KEPT, NO_NUL, WHOLE, Closed, Json

__all__ = [
    "BatchSize",
    "EvaluationName",
    "GenerationIn",
    "JobKindText",
    "JudgeIn",
    "ListQuery",
    "LongName",
    "MaxSamples",
    "MetricList",
    "ModelText",
    "ProviderText",
    "Rate",
    "Seconds",
    "SecretNameText",
    "SystemPromptText",
    "TaskIn",
    "UrlText",
    "ValueOut",
    "kinds",
    "pairs",
    "present",
    "task_out",
]  # fmt: skip

JobKindText = Literal["inference", "annotate", "evaluator"]
LongName = Annotated[str, Field(strict=True, min_length=1, max_length=255, json_schema_extra=NO_NUL), KEPT]
EvaluationName = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=255, pattern=r"\S"),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}),
    KEPT,
]
"""Not blank."""

ModelText = Annotated[str, Field(strict=True, min_length=1, max_length=500, json_schema_extra=NO_NUL), KEPT]
ProviderText = Annotated[
    str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$", json_schema_extra={"format": "provider"})
]
UrlText = Annotated[
    str,
    Field(strict=True, max_length=2000, description="Of an endpoint, such as https://host/v1"),
    Field(json_schema_extra={"format": "endpoint-url"}),
]
SecretNameText = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=255),
    Field(json_schema_extra={"format": "secret-name"}),
    KEPT,
]
SystemPromptText = Annotated[str, Field(strict=True, max_length=100_000, json_schema_extra=NO_NUL), KEPT]
MaxSamples = Annotated[
    int, Field(strict=True, ge=-(2**31), lt=2**31, description="The first rows; 0 or less = all"), WHOLE
]
BatchSize = Annotated[
    int, Field(strict=True, gt=0, lt=2**31, description="Rows that are sent to the model at once"), WHOLE
]
Seconds = Annotated[int, Field(strict=True, gt=0, le=365 * 86400), WHOLE]
Rate = Annotated[
    float, Field(strict=True, gt=0, le=10_000_000, description="Ours: requests a minute at most")
]
MetricText = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=300, json_schema_extra={"format": "scoring-metric"}),
    KEPT,
]
MetricList = Annotated[list[MetricText], Field(max_length=50)]
_Word = Annotated[str, Field(strict=True, min_length=1, max_length=100, json_schema_extra=NO_NUL), KEPT]
_Text = Annotated[str, Field(strict=True, min_length=1, max_length=10_000, json_schema_extra=NO_NUL), KEPT]
_ColumnText = Annotated[str, Field(strict=True, min_length=1, max_length=255, json_schema_extra=NO_NUL), KEPT]
_Key = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_Level = Annotated[int, Field(strict=True, ge=-1000, le=1000), WHOLE]


class SummarizationIn(Closed):
    """Summaries."""

    task: Literal["summarization"]


class TranslationIn(Closed):
    """Translations."""

    task: Literal["translation"]
    source_language: _Word
    target_language: _Word


class TextGenerationIn(Closed):
    """Whatever the system prompt says."""

    task: Literal["text-generation"]


TaskIn = Annotated[
    SummarizationIn | TranslationIn | TextGenerationIn, Field(discriminator="task", description="The task")
]


class GenerationIn(Closed):
    """How a model draws its answer; `seed` and `stop` are ours."""

    max_new_tokens: Annotated[int, Field(strict=True, gt=0, le=10_000_000), WHOLE] = 1024
    frequency_penalty: Annotated[float, Field(strict=True, ge=-2, le=2)] = 0.0
    temperature: Annotated[float, Field(strict=True, ge=0, le=2)] = 0.5
    top_p: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.5
    seed: Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63), WHOLE] | None = None
    stop: Annotated[
        list[
            Annotated[str, Field(strict=True, min_length=1, max_length=200, json_schema_extra=NO_NUL), KEPT]
        ],
        Field(max_length=4),
    ] = Field(default_factory=list)


class CriterionIn(Closed):
    """One question to the judge; `low` lies below `high`, which is best."""

    name: _Key
    question: _Text
    steps: Annotated[list[_Text], Field(max_length=20)] = Field(default_factory=list)
    low: _Level = 1
    high: _Level = 5


class RubricIn(Closed):
    """What the judge goes by for the metric `rubric`; the names of the criteria differ."""

    name: _Key
    task: _Text
    criteria: Annotated[list[CriterionIn], Field(min_length=1, max_length=20)]
    shows_reference: Annotated[bool, Field(strict=True)] = False


class JudgeIn(Closed):
    """The model that judges; the key of its endpoint, the rubric and people's scores are ours."""

    model_name: ModelText
    model_base_url: UrlText | None = None
    secret_key_name: SecretNameText | None = None
    rubric: RubricIn | None = None
    human_score: _ColumnText | None = Field(
        default=None,
        description="The column of people's scores, for kappa; of several criteria, how theirs begin",
    )


class ListQuery(Closed):
    """Some of a listing, newest first."""

    skip: Annotated[int, Field(ge=0, lt=2**63)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    project_id: UUID | None = Field(default=None, description="Only of this project")


class ValueOut(TypedDict):
    """A name with its value."""

    name: str
    value: Any


def present(model: Closed) -> Json:
    """The fields of a body that have a value, as the domain's configurations take them."""
    return model.model_dump(mode="json", exclude_none=True, exclude_unset=True)


def pairs(values: Any) -> list[ValueOut]:
    """A mapping as a list of names and values."""
    return [{"name": name, "value": value} for name, value in values.items()]


def task_out(task: TaskDefinition) -> Json:
    """A task as clients write it."""
    return task.model_dump(mode="json", exclude_none=True)


def kinds(texts: Sequence[str]) -> tuple[JobKind, ...]:
    """Kinds of jobs by their names."""
    return tuple(JobKind(text) for text in dict.fromkeys(texts))
