"""Evaluations, which clients call experiments, and their workflows on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.evaluation.comparisons.differences import TestedMetric, UntestedValue
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.scoring.mcnemar import McNemar
from tracker.domain.evaluation.workflows.service import WorkflowDetail
from tracker.domain.evaluation.workflows.workflow import Workflow

from .evaluation import (
    BatchSize,
    EvaluationName,
    GenerationIn,
    JudgeIn,
    LongName,
    MaxSamples,
    MetricList,
    ModelText,
    ProviderText,
    Rate,
    Seconds,
    SecretNameText,
    SystemPromptText,
    TaskIn,
    UrlText,
    ValueOut,
    pairs,
    present,
    task_out,
)
from .wire import KEPT, NO_NUL, Closed, DescriptionText, Json, absent

__all__ = [
    "EvaluationCreate", "EvaluationOut", "EvaluationPageOut", "ForceQuery", "WorkflowComparisonOut",
    "WorkflowComparisonQuery", "WorkflowCreate", "WorkflowDetailOut", "WorkflowOut", "detail_out",
    "evaluation_out", "tested_out", "untested_out", "workflow_out",
]  # fmt: skip

_Output = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=255),
    Field(json_schema_extra={**NO_NUL, "format": "output-column"}),
    KEPT,
]


class EvaluationCreate(Closed):
    """A new evaluation."""

    name: EvaluationName
    description: DescriptionText = ""
    dataset: UUID
    max_samples: MaxSamples = -1
    task_definition: TaskIn | None = None
    project_id: UUID = absent(description="Ours: where it belongs; left out, to its dataset's project")


class WorkflowCreate(Closed):
    """A new workflow: inference with one model, then evaluation of its answers."""

    name: LongName
    description: DescriptionText = ""
    experiment_id: UUID
    model: ModelText
    provider: ProviderText
    secret_key_name: SecretNameText | None = None
    batch_size: BatchSize = 1
    base_url: UrlText | None = None
    system_prompt: SystemPromptText | None = None
    inference_output_field: _Output = "predictions"
    generation_config: GenerationIn | None = None
    job_timeout_sec: Seconds = 3600
    metrics: MetricList | None = None
    llm_as_judge: JudgeIn | None = None
    requests_per_minute: Rate | None = None
    config_template: None = Field(default=None, description="Null, as the SDK sends it; there are none")

    def fields(self) -> Json:
        """As the service takes them, but for the evaluation."""
        return {
            "name": self.name,
            "description": self.description,
            "model": self.model,
            "provider": self.provider,
            "secret_key_name": self.secret_key_name,
            "batch_size": self.batch_size,
            "requests_per_minute": self.requests_per_minute,
            "base_url": self.base_url,
            "system_prompt": self.system_prompt or "",
            "output_field": self.inference_output_field,
            "generation_config": None if self.generation_config is None else present(self.generation_config),
            "time_limit": timedelta(seconds=self.job_timeout_sec),
            "metrics": self.metrics,
            "llm_as_judge": None if self.llm_as_judge is None else present(self.llm_as_judge),
        }


class ForceQuery(Closed):
    """Whether one that runs is stopped first."""

    force: bool = False


class WorkflowComparisonQuery(Closed):
    """Two workflows of one evaluation."""

    first: UUID = Field(description="Such as of the model that is in use")
    second: UUID = Field(description="Such as of a candidate")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(default=0, description="Of the resamples")


class WorkflowOut(TypedDict):
    """A workflow; `why` is ours."""

    id: UUID
    experiment_id: UUID
    model: str
    name: str
    description: str
    system_prompt: str
    status: str
    created_at: datetime
    updated_at: datetime
    why: str
    tracked_experiment_id: UUID | None


class WorkflowJobOut(TypedDict):
    """A job of a workflow, and what it found."""

    id: UUID
    metrics: list[ValueOut]
    parameters: list[ValueOut]
    metric_url: str
    artifact_url: str
    job_type: str
    status: str
    rows_done: int
    rows_total: int | None


class WorkflowDetailOut(WorkflowOut):
    """A workflow with its jobs and, once it has succeeded, its result."""

    jobs: list[WorkflowJobOut]
    metrics: dict[str, Any]
    parameters: dict[str, Any]
    artifacts_download_url: str | None


class EvaluationOut(TypedDict):
    """An evaluation with its workflows: in a listing as they are, of one with all that is known of them."""

    id: UUID
    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    max_samples: int
    task_definition: dict[str, str]
    dataset: UUID
    workflows: list[WorkflowDetailOut | WorkflowOut]
    project_id: UUID


class EvaluationPageOut(TypedDict):
    """Some of the evaluations, and how many match in all."""

    total: int
    items: list[EvaluationOut]


class McNemarOut(TypedDict):
    """McNemar's test, for scores that are 0 or 1: rows on which only one is right, and p."""

    first_only: int
    second_only: int
    exact: float
    mid: float


class TestedOut(TypedDict):
    """A metric with a score for each row: the second workflow less the first, on the rows that both have."""

    metric: str
    rows: int
    left_out: int
    first: float | None
    second: float | None
    difference: float | None
    interval: list[float] | None
    level: float
    p: float | None
    adjusted: float | None
    differs: bool
    mcnemar: McNemarOut | None
    direction: str
    better: str


class UntestedOut(TypedDict):
    """A value of which no row tells."""

    name: str
    first: float | None
    second: float | None
    difference: float | None


class WorkflowComparisonOut(TypedDict):
    """Two workflows beside each other; p is adjusted over all metrics (Holm)."""

    first: UUID
    second: UUID
    rows: int
    metrics: list[TestedOut]
    values: list[UntestedOut]


def workflow_out(workflow: Workflow, system_prompt: str) -> WorkflowOut:
    """A workflow as clients see it."""
    return {
        "id": workflow.id,
        "experiment_id": workflow.evaluation_id,
        "model": workflow.model,
        "name": workflow.name,
        "description": workflow.description,
        "system_prompt": system_prompt,
        "status": workflow.status.value,
        "created_at": workflow.created_at,
        "updated_at": workflow.updated_at,
        "why": workflow.why,
        "tracked_experiment_id": workflow.experiment_id,
    }


def detail_out(detail: WorkflowDetail, file_url: Callable[[str], str], api: str) -> WorkflowDetailOut:
    """A workflow with all that is known of it.

    Args:
        detail: of it.
        file_url: makes a URL of a link.
        api: address of the API.
    """
    jobs: list[WorkflowJobOut] = []
    for each in detail.jobs:
        result = f"{api}/jobs/{each.job.id}/result"
        jobs.append(
            {
                "id": each.job.id,
                "metrics": pairs(each.metrics),
                "parameters": pairs(each.parameters),
                "metric_url": result,
                "artifact_url": f"{result}/download" if each.link is None else file_url(each.link),
                "job_type": each.job.kind.value,
                "status": each.job.status.value,
                "rows_done": each.job.rows_done,
                "rows_total": each.job.rows_total,
            }
        )
    return {
        **workflow_out(detail.workflow, detail.system_prompt),
        "jobs": jobs,
        "metrics": dict(detail.metrics),
        "parameters": dict(detail.parameters),
        "artifacts_download_url": None if detail.link is None else file_url(detail.link),
    }


def evaluation_out(evaluation: Evaluation, workflows: list[WorkflowDetailOut | WorkflowOut]) -> EvaluationOut:
    """An evaluation as clients see it."""
    return {
        "id": evaluation.id,
        "name": evaluation.name,
        "description": evaluation.description,
        "created_at": evaluation.created_at,
        "updated_at": evaluation.updated_at,
        "max_samples": evaluation.max_samples,
        "task_definition": task_out(evaluation.task),
        "dataset": evaluation.dataset_id,
        "workflows": workflows,
        "project_id": evaluation.project_id,
    }


def tested_out(tested: TestedMetric) -> TestedOut:
    """A metric of two workflows, with its test."""
    one = tested.compared
    return {
        "metric": one.metric,
        "rows": one.rows,
        "left_out": one.left_out,
        "first": one.first,
        "second": one.second,
        "difference": one.difference,
        "interval": None if one.interval is None else list(one.interval),
        "level": one.level,
        "p": one.p,
        "adjusted": one.adjusted,
        "differs": one.differs,
        "mcnemar": None if one.mcnemar is None else _mcnemar(one.mcnemar),
        "direction": tested.direction.value,
        "better": tested.better.value,
    }


def _mcnemar(test: McNemar) -> McNemarOut:
    return {
        "first_only": test.first_only,
        "second_only": test.second_only,
        "exact": test.exact,
        "mid": test.mid,
    }


def untested_out(value: UntestedValue) -> UntestedOut:
    """A value of two workflows."""
    return {
        "name": value.name,
        "first": value.first,
        "second": value.second,
        "difference": value.difference,
    }
