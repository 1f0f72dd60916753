"""Jobs on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.summary import JobSummary

from .evaluation import (
    BatchSize,
    GenerationIn,
    JobKindText,
    JudgeIn,
    ListQuery,
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
    present,
)
from .wire import KEPT, NO_NUL, Closed, DescriptionText, Json

__all__ = [
    "AnnotateCreate", "EvaluatorCreate", "InferenceCreate", "JobDownloadOut", "JobLogsOut", "JobOut",
    "JobPageOut", "JobQuery", "JobResultOut", "job_out", "summary_out",
]  # fmt: skip

_Word = Annotated[str, Field(strict=True, min_length=1, max_length=100, json_schema_extra=NO_NUL), KEPT]
_Column = Annotated[str, Field(strict=True, min_length=1, max_length=255)]
_Output = Annotated[_Column, Field(json_schema_extra={**NO_NUL, "format": "output-column"}), KEPT]
_Flag = Annotated[bool, Field(strict=True)]


class _ModelIn(Closed):
    model: ModelText
    provider: ProviderText
    task_definition: TaskIn | None = None
    accelerator: _Word | None = Field(default=None, description="Left out: auto")
    revision: _Word | None = Field(default=None, description="Left out: main")
    use_fast: _Flag = True
    trust_remote_code: _Flag = False
    torch_dtype: _Word = "auto"
    base_url: UrlText | None = None
    output_field: _Output | None = Field(default=None, description="The column of the answers")
    generation_config: GenerationIn | None = None
    store_to_dataset: _Flag | None = Field(default=None, description="Whether the answers become a dataset")
    system_prompt: SystemPromptText | None = Field(default=None, description="Empty: the task's own")
    secret_key_name: SecretNameText | None = Field(default=None, description="Of the endpoint's key")
    requests_per_minute: Rate | None = None

    def config(self) -> Json:
        """As the domain takes it."""
        return present(self)


class InferenceConfigIn(_ModelIn):
    """What inference needs."""

    job_type: Literal["inference"] = "inference"


class AnnotateConfigIn(_ModelIn):
    """Inference whose answers become the ground truth of a new dataset."""

    job_type: Literal["annotate"] = "annotate"


class EvaluatorConfigIn(Closed):
    """What an evaluation of answers needs."""

    job_type: Literal["evaluator"] = "evaluator"
    task_definition: TaskIn | None = None
    metrics: MetricList | None = Field(default=None, description="Left out: the usual ones")
    llm_as_judge: JudgeIn | None = None
    secret_key_name: SecretNameText | None = Field(
        default=None, description="Of the judge's key, where the judge names none; else not used"
    )

    def config(self) -> Json:
        """As the domain takes it: there the key is the judge's."""
        found = present(self)
        key = found.pop("secret_key_name", None)
        if key is not None and "llm_as_judge" in found:
            found["llm_as_judge"].setdefault("secret_key_name", key)
        return found


class _JobCreate(Closed):
    name: LongName
    description: DescriptionText = ""
    dataset: UUID
    max_samples: MaxSamples = -1
    batch_size: BatchSize = 1
    job_timeout_sec: Seconds = Field(default=3600, description="Ours: for which it may run")

    def fields(self, config: _ModelIn | EvaluatorConfigIn) -> Json:
        """As the service takes them."""
        return {
            "name": self.name,
            "description": self.description,
            "config": {name: value for name, value in config.config().items() if name != "job_type"},
            "max_samples": self.max_samples,
            "batch_size": self.batch_size,
            "time_limit": timedelta(seconds=self.job_timeout_sec),
        }


class InferenceCreate(_JobCreate):
    """A job that asks a model."""

    job_config: InferenceConfigIn


class AnnotateCreate(_JobCreate):
    """A job that has a model write the ground truth."""

    job_config: AnnotateConfigIn


class EvaluatorCreate(_JobCreate):
    """A job that scores answers."""

    job_config: EvaluatorConfigIn


class JobQuery(ListQuery):
    """Some of the jobs."""

    job_types: list[JobKindText] = Field(default_factory=list, description="Any of these kinds")


class EventOut(TypedDict):
    """What happened."""

    at: datetime
    status: str
    cause: str
    why: str
    attempt: int


class ProgressOut(TypedDict):
    """How far it is: rows that are done and kept, of how many."""

    rows_done: int
    rows_total: int | None


class JobSummaryOut(TypedDict):
    """What a listing shows of a job. `why` says why it is in its state; from `project_id` on it is ours."""

    id: UUID
    name: str
    description: str
    status: str
    job_type: str
    dataset: UUID
    max_samples: int
    batch_size: int
    created_at: datetime
    updated_at: datetime
    project_id: UUID
    workflow_id: UUID | None
    why: str
    progress: ProgressOut


class JobOut(JobSummaryOut):
    """A job and how it goes."""

    job_config: dict[str, Any]
    attempt: int
    events: list[EventOut]


class JobPageOut(TypedDict):
    """Some of the jobs, and how many match in all."""

    total: int
    items: list[JobSummaryOut]


class JobLogsOut(TypedDict):
    """What happened to it, and what its workers printed."""

    logs: str


class JobResultOut(TypedDict):
    """What a job found: metrics by name as they stand in its result."""

    id: UUID
    job_id: UUID
    metrics: dict[str, Any]
    parameters: dict[str, Any]


class JobDownloadOut(TypedDict):
    """Where its result can be fetched for an hour, without credentials."""

    id: UUID
    download_url: str


def summary_out(job: Job | JobSummary) -> JobSummaryOut:
    """A job in a listing."""
    return {
        "id": job.id,
        "name": job.name,
        "description": job.description,
        "status": job.status.value,
        "job_type": job.kind.value,
        "dataset": job.dataset_id,
        "max_samples": job.max_samples,
        "batch_size": job.batch_size,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "project_id": job.project_id,
        "workflow_id": job.workflow_id,
        "why": job.why,
        "progress": {"rows_done": job.rows_done, "rows_total": job.rows_total},
    }


def job_out(job: Job) -> JobOut:
    """A job as clients see it."""
    return {
        **summary_out(job),
        "job_config": {"job_type": job.kind.value, **job.config},
        "attempt": job.attempt,
        "events": [
            {
                "at": event.at,
                "status": event.status,
                "cause": event.cause.value,
                "why": event.why,
                "attempt": event.attempt,
            }
            for event in job.events
        ],
    }
