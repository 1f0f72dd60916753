"""Jobs."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import UUID, uuid5

from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.evaluation.jobs.service import JobService
from tracker.domain.ids import DatasetId, JobId

from ..exchange import Call
from ..schemas.answers import NoQuery
from ..schemas.datasets import DatasetOut, dataset_out
from ..schemas.evaluation import kinds
from ..schemas.jobs import (
    AnnotateCreate,
    EvaluatorCreate,
    InferenceCreate,
    JobDownloadOut,
    JobLogsOut,
    JobOut,
    JobPageOut,
    JobQuery,
    JobResultOut,
    job_out,
    summary_out,
)
from .addresses import Addresses
from .datasets import project_of

__all__ = ["Jobs"]

_Create: TypeAlias = InferenceCreate | AnnotateCreate | EvaluatorCreate


class Jobs:
    """``/api/v1/jobs``."""

    def __init__(self, jobs: JobService, addresses: Addresses) -> None:
        self._jobs = jobs
        self._addresses = addresses

    async def infer(self, call: Call[_Create, NoQuery]) -> JobOut:
        """A new inference."""
        return await self._created(call, JobKind.INFERENCE)

    async def annotate(self, call: Call[_Create, NoQuery]) -> JobOut:
        """A new annotation."""
        return await self._created(call, JobKind.ANNOTATE)

    async def evaluate(self, call: Call[_Create, NoQuery]) -> JobOut:
        """A new evaluation of answers."""
        return await self._created(call, JobKind.EVALUATOR)

    async def list(self, call: Call[None, JobQuery]) -> JobPageOut:
        """Some of them."""
        query = call.query
        page = await self._jobs.page(
            call.actor, kinds=kinds(query.job_types), project_id=project_of(query), skip=query.skip,
            limit=query.limit,
        )  # fmt: skip
        return {"total": page.total, "items": [summary_out(each) for each in page.items]}

    async def show(self, call: Call[None, NoQuery]) -> JobOut:
        """One."""
        return job_out(await self._jobs.get(call.actor, _job(call)))

    async def logs(self, call: Call[None, NoQuery]) -> JobLogsOut:
        """What happened to one."""
        return {"logs": await self._jobs.logs(call.actor, _job(call))}

    async def dataset(self, call: Call[None, NoQuery]) -> DatasetOut:
        """What one made."""
        return dataset_out(await self._jobs.dataset(call.actor, _job(call)))

    async def result(self, call: Call[None, NoQuery]) -> JobResultOut:
        """What one found."""
        found = await self._jobs.result(call.actor, _job(call))
        return {
            "id": _result_id(found.job.id),
            "job_id": found.job.id,
            "metrics": dict(found.metrics),
            "parameters": dict(found.parameters),
        }

    async def result_download(self, call: Call[None, NoQuery]) -> JobDownloadOut:
        """Where what one found is."""
        found = await self._jobs.result(call.actor, _job(call))
        return {"id": found.job.id, "download_url": self._addresses.of_file(call.root, found.link)}

    async def cancel(self, call: Call[None, NoQuery]) -> JobOut:
        """Asks one to stop."""
        return job_out(await self._jobs.cancel(call.actor, _job(call)))

    async def retry(self, call: Call[None, NoQuery]) -> JobOut:
        """Has one do the rest."""
        return job_out(await self._jobs.retry(call.actor, _job(call)))

    async def _created(self, call: Call[_Create, NoQuery], kind: JobKind) -> JobOut:
        body = call.body
        job = await self._jobs.create(
            call.actor, kind, dataset_id=DatasetId(body.dataset), **body.fields(body.job_config)
        )
        call.headers["Location"] = f"{self._addresses.api_path}/jobs/{job.id}"
        return job_out(job)


def _job(call: Call[Any, Any]) -> JobId:
    return JobId(call.path["job_id"])


def _result_id(job_id: UUID) -> UUID:
    """A job has one result, whose id clients want to differ from the job's."""
    return uuid5(job_id, "result")
