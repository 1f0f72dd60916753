"""A desk that keeps what it is brought, in memory; and that can fail in the ways that desks may."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.factories import NOON, new_id
from tracker.domain.errors import Conflict, Unavailable
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.rows import Columns, read_rows
from tracker.domain.evaluation.datasets.survey import Survey
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.jobs.lease import Rules
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome, kept
from tracker.domain.evaluation.models import CatalogueEntry
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.ports.evaluation.desk import Admission

__all__ = ["MemoryDesk", "a_dataset", "an_admission"]


def a_dataset(content: bytes, kind: FileKind = FileKind.JSONL, columns: Columns | None = None) -> Dataset:
    """The dataset of a file of text."""
    parts = columns or Columns()
    header = content.partition(b"\n")[0].decode().split(",") if kind is FileKind.CSV else [parts.examples]
    survey = Survey(parts, header)
    for row in read_rows([content], kind, parts):
        survey.add(row)
    return Dataset(
        id=DatasetId(new_id()),
        project_id=ProjectId(new_id()),
        filename=f"rows.{kind}",
        kind=kind,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        content_hash=survey.content_hash,
        names=survey.names,
        columns=parts,
        coverage=survey.coverage,
        created_at=NOON,
    )


def an_admission(
    dataset: Dataset,
    config: Mapping[str, Any],
    *,
    secrets: Mapping[str, str] | None = None,
    model: CatalogueEntry | None = None,
    **fields: Any,
) -> Admission:
    """An inference of a dataset, as its first attempt."""
    job = Job.created(
        at=NOON,
        **{
            "id": JobId(new_id()),
            "project_id": dataset.project_id,
            "kind": JobKind.INFERENCE,
            "name": "job",
            "dataset_id": dataset.id,
            "config": {"model": "small", "provider": "openai-compatible", **config},
            **fields,
        },
    ).claim("test", at=NOON, rules=Rules())
    known = {name: PlainSecret(value=value) for name, value in (secrets or {}).items()}
    return Admission(job, dataset, known, model)


class MemoryDesk:
    """Keeps the port :class:`tracker.ports.evaluation.desk.Desk`.

    Attributes:
        rows: what is kept of rows, by number.
        answers: by cache key; may be shared with other desks.
        files: that were left.
        keeps: how many outcomes each call of `keep` brought.
        lost: whether the attempt has lost its job.
        silent: how many of the next calls find no answer.
        seconds: that a call takes.
    """

    def __init__(
        self, content: bytes, *, answers: dict[str, RowOutcome] | None = None, seconds: float = 0.0
    ) -> None:
        self.content = content
        self.rows: dict[int, RowOutcome] = {}
        self.answers: dict[str, RowOutcome] = {} if answers is None else answers
        self.files: dict[str, bytes] = {}
        self.keeps: list[int] = []
        self.begun: list[int | None] = []
        self.lost = False
        self.silent = 0
        self.seconds = seconds
        self.twice: list[int] = []

    async def admit(self, handle: str) -> Admission:
        raise NotImplementedError

    async def begin(self, rows_total: int | None) -> datetime:
        await self._look()
        self.begun.append(rows_total)
        return self._until()

    async def heartbeat(self) -> datetime:
        await self._look()
        return self._until()

    async def dataset(self) -> AsyncIterator[bytes]:
        await self._look()
        for start in range(0, len(self.content), 1000):
            yield self.content[start : start + 1000]

    async def answered(self) -> frozenset[int]:
        await self._look()
        return frozenset(number for number, one in self.rows.items() if one.is_answered)

    async def remembered(self, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        await self._look()
        return {key: self.answers[key] for key in keys if key in self.answers}

    async def keep(self, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> datetime:
        await self._look(may_be_lost=True)
        self.keeps.append(len(outcomes))
        for one in outcomes:
            present = self.rows.get(one.number)
            if present is not None and present.is_answered:
                self.twice.append(one.number)
            self.rows[one.number] = kept(present, one)
            if one.is_answered and one.number in keys:
                self.answers.setdefault(keys[one.number], one)
        if self.lost:
            raise Conflict("lease: lost")
        return self._until()

    async def outcomes(self) -> AsyncIterator[RowOutcome]:
        await self._look()
        for number in sorted(self.rows):
            yield self.rows[number]

    async def leave(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        await self._look()
        self.files[name] = b"".join([chunk async for chunk in chunks])

    async def _look(self, *, may_be_lost: bool = False) -> None:
        await asyncio.sleep(self.seconds)
        if self.silent > 0:
            self.silent -= 1
            raise Unavailable("the desk is closed", 0.01)
        if self.lost and not may_be_lost:
            raise Conflict("lease: lost")

    def _until(self) -> datetime:
        return NOON + timedelta(seconds=9)
