"""Builders of what evaluations keep: every field has a default, any can be given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.factories import NOON, new_id
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.evaluation.datasets.dataset import Coverage, Dataset
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.evaluation import Evaluation
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.passes import JobPass
from tracker.domain.evaluation.jobs.passes import digest_of as digest_of_token
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.models import CatalogueEntry, ModelReference
from tracker.domain.evaluation.secrets import SealedSecret, Secret
from tracker.domain.evaluation.tasks import TaskKind
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import JobId
from tracker.domain.projects.project import Project
from tracker.ports.evaluation.jobs import JobFile, JobSummary

__all__ = [
    "HANDLE", "RULES", "a_dataset", "a_job", "a_job_file", "a_model", "a_pass", "a_secret", "a_workflow",
    "an_evaluation", "an_outcome", "running", "sealed", "summary",
]  # fmt: skip

RULES = Rules()
HANDLE = "h" * 40


def a_dataset(project: Project, content: bytes = b"examples\n1\n", **fields: Any) -> Dataset:
    key = new_id()
    defaults = {
        "id": key,
        "project_id": project.id,
        "filename": f"{key}.csv",
        "kind": FileKind.CSV,
        "size": len(content),
        "digest": digest_of(content),
        "content_hash": digest_of(b"rows " + content),
        "names": ("examples", "ground_truth", "source"),
        "coverage": Coverage(rows=4, ground_truth=3),
        "created_at": NOON,
        "created_by": LOCAL_USER,
    }
    return Dataset(**{**defaults, **fields})


def a_job(project: Project, *, at: datetime = NOON, **fields: Any) -> Job:
    defaults = {
        "id": new_id(),
        "project_id": project.id,
        "kind": JobKind.INFERENCE,
        "name": "a job",
        "dataset_id": new_id(),
        "created_by": LOCAL_USER,
    }
    return Job.created(at=at, **{**defaults, **fields})


def running(job: Job, *, at: datetime = NOON) -> Job:
    """The job after its first attempt began."""
    return job.claim("host:1", at=at, rules=RULES).accept(1, at=at).begin(1, at=at, rows_total=10)


def an_outcome(number: int, prediction: str | None = "yes", **fields: Any) -> RowOutcome:
    error = "503 after 6 tries" if prediction is None else None
    defaults = {"input_hash": digest_of(str(number).encode()), "error": error, "at": NOON}
    return RowOutcome(**{"number": number, "prediction": prediction, **defaults, **fields})


def a_job_file(content: bytes = b"{}", **fields: Any) -> JobFile:
    return JobFile(
        **{"name": "result", "digest": digest_of(content), "size": len(content), "at": NOON, **fields}
    )


def a_pass(job_id: JobId, attempt: int = 1, **fields: Any) -> JobPass:
    defaults = {"handle_digest": digest_of_token(HANDLE), "sent_by": LOCAL_USER}
    return JobPass(**{"job_id": job_id, "attempt": attempt, **defaults, **fields})


def an_evaluation(project: Project, **fields: Any) -> Evaluation:
    defaults = {
        "id": new_id(),
        "project_id": project.id,
        "name": "summaries",
        "dataset_id": new_id(),
        "created_at": NOON,
        "updated_at": NOON,
        "created_by": LOCAL_USER,
    }
    return Evaluation(**{**defaults, **fields})


def a_workflow(evaluation: Evaluation, *, at: datetime = NOON, **fields: Any) -> Workflow:
    defaults = {
        "id": new_id(),
        "project_id": evaluation.project_id,
        "evaluation_id": evaluation.id,
        "name": "small",
        "model": "http://localhost:8000/v1#small",
        "jobs": ((JobKind.INFERENCE, JobId(new_id())), (JobKind.EVALUATOR, JobId(new_id()))),
        "created_by": LOCAL_USER,
    }
    return Workflow.created(at=at, **{**defaults, **fields})


def a_secret(name: str = "openai", **fields: Any) -> Secret:
    return Secret(
        **{"name": name, "created_at": NOON, "updated_at": NOON, "updated_by": LOCAL_USER, **fields}
    )


def sealed(name: str = "openai", **fields: Any) -> SealedSecret:
    defaults = {"key_id": "0a" * 8, "nonce": bytes(12), "ciphertext": bytes(range(40))}
    return SealedSecret(**{"name": name, **defaults, **fields})


def a_model(name: str = "small", provider: str = "openai", **fields: Any) -> CatalogueEntry:
    model = ModelReference(name=name, provider=provider)
    defaults = {"model": model, "display_name": "Small", "tasks": (TaskKind.SUMMARIZATION,)}
    return CatalogueEntry(**{**defaults, **fields})


def summary(job: Job) -> JobSummary:
    """What a listing shows of a job."""
    return JobSummary(*(getattr(job, name) for name in JobSummary._fields))
