"""What jobs leave behind: files, and datasets that they made."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from tracker.domain.errors import Conflict, Invalid, NotFound
from tracker.domain.evaluation.datasets.dataset import Dataset, Lineage
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.generated import generated_columns, generated_name
from tracker.domain.evaluation.datasets.uploads.service import Intake, Taken
from tracker.domain.evaluation.files.service import FileService, Put, read_document
from tracker.domain.evaluation.jobs.config import InferenceConfig
from tracker.domain.evaluation.jobs.erasing.service import erase_datasets
from tracker.domain.evaluation.jobs.files import RESULT, SUMMARY, summary_of
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.evaluation.jobs.needs import config_of_job
from tracker.domain.ids import DatasetId, UserId
from tracker.domain.projects.purge import GRACE
from tracker.ports.clock import Clock
from tracker.ports.evaluation.datasets import SpooledFile
from tracker.ports.evaluation.jobs import JobFile
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import UnitsOfWork, WritingUnit

__all__ = ["Leaving", "encoded", "one_piece", "put_file"]


class Leaving:
    """Takes what jobs leave.

    Args:
        units: opens units of work.
        clock: tells when things happen.
        ids: names new things.
        files: keeps bytes.
        intake: takes datasets in.
    """

    def __init__(
        self, units: UnitsOfWork, clock: Clock, ids: IdGenerator, files: FileService, intake: Intake
    ) -> None:
        self._units = units
        self._clock = clock
        self._ids = ids
        self._files = files
        self._intake = intake

    async def file(
        self, job: Job, attempt: int, name: str, chunks: AsyncIterator[bytes], *, by: UserId
    ) -> None:
        """Keeps a file, durable when it returns; of a result, with a summary. It replaces one of its name.

        Raises:
            Conflict: the attempt has lost its job.
            Invalid: a result is no JSON document with metrics and parameters.
            TooLarge: it is larger than allowed.
        """
        most = self._intake.limits.for_generated().file_bytes
        async with self._files.spooled(chunks, most) as file:
            summary = await self._files.aside(file, _summary) if name == RESULT else None
            puts = {name: await self._files.put(file, by)}
        if summary is not None:
            async with self._files.spooled(one_piece(encoded(summary)), most) as file:
                puts[SUMMARY] = await self._files.put(file, by)
        async with self._units.writing() as unit:
            present = await _still(unit, job, attempt)
            for each, put in puts.items():
                await put_file(unit, present, each, put, self._clock.now())
            await unit.commit()

    async def dataset(self, job: Job, attempt: int, chunks: AsyncIterator[bytes], *, by: UserId) -> None:
        """Makes rows a dataset that the job has generated; it replaces one that it had.

        Raises:
            Conflict: the attempt has lost its job.
            Invalid: the job makes none, its source was deleted, or a row breaks a rule.
            TooLarge: it is larger than allowed.
        """
        config = config_of_job(job)
        if not isinstance(config, InferenceConfig):
            raise Invalid.field("name", f"a job of the kind {job.kind} makes no dataset")
        async with self._units.reading() as unit:
            try:
                source = await unit.datasets.get(job.dataset_id)
            except NotFound as error:
                raise Invalid.field("dataset", f"dataset {job.dataset_id} was deleted") from error
        columns = generated_columns(source.columns, job.kind, config.output_field)
        async with self._intake.taken(chunks, FileKind.JSONL, columns, by, generated=True) as taken:
            made = Dataset(
                id=DatasetId(self._ids.new()),
                project_id=job.project_id,
                filename=generated_name(source.filename, config.output_field, job.id),
                kind=FileKind.JSONL,
                size=taken.put.size,
                digest=taken.put.digest,
                columns=columns,
                lineage=Lineage(
                    job_id=job.id, source_id=source.id, generated_by=str(config.reference)[:1000]
                ),
                created_at=self._clock.now(),
                created_by=by,
                **taken.facts._asdict(),
            )
            await self._generated(job, attempt, made, taken)

    async def _generated(self, job: Job, attempt: int, made: Dataset, taken: Taken) -> None:
        async with self._units.writing() as unit:
            await _still(unit, job, attempt)
            await erase_datasets(unit, [job.id], review_at=made.created_at + GRACE)
            try:
                await unit.datasets.get(job.dataset_id)
            except NotFound as error:
                raise Invalid.field("dataset", f"dataset {job.dataset_id} was deleted") from error
            await taken.put.refer(unit, made.created_at)
            await unit.datasets.add(made)
            await unit.commit()


async def put_file(unit: WritingUnit, job: Job, name: str, put: Put, at: datetime) -> None:
    """Has a job refer to bytes that are in the store, under a name."""
    await put.refer(unit, at)
    present = (await unit.job_files.find([job.id], name)).get(job.id)
    if present is not None and present.digest != put.digest:
        await unit.blobs.release_one(present.digest, review_at=at + GRACE)
    await unit.job_files.put(job.id, JobFile(name, put.digest, put.size, at))


async def one_piece(content: bytes) -> AsyncIterator[bytes]:
    """Bytes as a stream."""
    yield content


def encoded(value: Any) -> bytes:
    """A JSON value as it is kept."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


async def _still(unit: WritingUnit, job: Job, attempt: int) -> Job:
    """The job as it is now, if the attempt has not lost it."""
    try:
        present = await unit.jobs.get(job.id)
    except NotFound as error:
        raise Conflict(f"lease: {error.detail}: it was deleted") from error
    present.check_attempt(attempt)
    return present


def _summary(file: SpooledFile) -> dict[str, Any]:
    document = read_document(file)
    if not isinstance(document.get("metrics"), dict) or not isinstance(document.get("parameters"), dict):
        raise Invalid.field("result", "must be a JSON object with metrics and parameters")
    return summary_of(document)
