"""The services of evaluation over any units of work, with a runner that does what a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tests.doubles import SettableClock
from tracker.adapters.memory.blobs import MemoryBlobStore
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.security.link_tokens import HmacSignedTokens
from tracker.adapters.security.secret_source import SystemSecrets
from tracker.adapters.security.secrets_box import AesGcmSecretsBox
from tracker.adapters.security.signing_keys import KeyFile
from tracker.adapters.spool.local import LocalSpool
from tracker.adapters.system.ids import UuidV7Generator
from tracker.adapters.system.together import together
from tracker.adapters.tables.parquet import ParquetTables
from tracker.adapters.text_metrics import PackagedTextMetrics
from tracker.domain.artifacts.blobs.service import BlobService
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.datasets.hashing import input_hash
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.rows import read_rows
from tracker.domain.evaluation.datasets.service import DatasetService
from tracker.domain.evaluation.datasets.uploads.service import Intake
from tracker.domain.evaluation.files.service import FileService
from tracker.domain.evaluation.jobs.checking.service import JobChecks
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.desks.service import DeskService, DirectDesk
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.leaving.service import Leaving
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.jobs.service import JobService
from tracker.domain.evaluation.links.service import LinkService
from tracker.domain.evaluation.oversight.attempts.service import Attempts
from tracker.domain.evaluation.oversight.recording.service import Recording
from tracker.domain.evaluation.oversight.service import Overseer
from tracker.domain.evaluation.oversight.stepping.service import Stepping
from tracker.domain.evaluation.results import evaluation_result, inference_result
from tracker.domain.evaluation.secret_keeping.service import SecretService
from tracker.domain.evaluation.service import EvaluationService
from tracker.domain.evaluation.workflows.erasing.service import WorkflowErasing
from tracker.domain.evaluation.workflows.service import WorkflowService
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import LOCAL_USER, Actor
from tracker.domain.ids import ExperimentId, JobId, ProjectId
from tracker.domain.scalars.service import ScalarService
from tracker.ports.unit_of_work import UnitsOfWork

__all__ = ["Lab", "ScriptedRunner", "pieces"]

CSV = b"examples,ground_truth,extra\none,ONE,1\ntwo,TWO,2\nthree,THREE,3\n"


async def pieces(content: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


class ScriptedRunner:
    """A runner whose workers are the test. It can be out of reach, and unable to kill."""

    def __init__(self) -> None:
        self.up = True
        self.deaf = False
        self.errands: dict[tuple[JobId, int], Errand] = {}
        self.sightings: dict[tuple[JobId, int], Report] = {}
        self.killed: list[tuple[JobId, int]] = []
        self.forgotten: list[JobId] = []

    async def start(self, errand: Errand) -> None:
        self._require()
        key = errand.job_id, errand.attempt
        if key not in self.sightings:
            self.errands[key] = errand
            self.sightings[key] = Report(Sighting.QUEUED)

    async def sight(self, job_id: JobId, attempt: int) -> Report:
        if not self.up:
            return Report(Sighting.UNREACHABLE, "connection refused")
        return self.sightings.get((job_id, attempt), Report(Sighting.UNKNOWN))

    async def kill(self, job_id: JobId, attempt: int) -> None:
        self._require()
        if not self.deaf:
            self.killed.append((job_id, attempt))
            self.sightings[job_id, attempt] = Report(Sighting.CRASHED, "it was killed as it was asked")

    async def logs(self, job_id: JobId, attempt: int, *, most: int = 1_000_000) -> str:
        return f"printed by {attempt}"

    async def forget(self, job_id: JobId) -> None:
        self.forgotten.append(job_id)
        self.sightings = {key: report for key, report in self.sightings.items() if key[0] != job_id}

    async def known(self) -> frozenset[JobId]:
        return frozenset(job_id for job_id, _ in self.sightings)

    async def check(self) -> None:
        self._require()

    async def close(self) -> None:
        """Nothing is open."""

    def _require(self) -> None:
        if not self.up:
            raise Unavailable("the runner does not answer: connection refused")


class Lab:
    """One installation."""

    def __init__(self, units: UnitsOfWork, data: Path, limits: Limits | None = None) -> None:
        self.units = units
        self.clock = SettableClock()
        self.ids = UuidV7Generator()
        self.store = MemoryBlobStore()
        self.points = MemoryScalarStore()
        self.runner = ScriptedRunner()
        self.actor = Actor(user_id=LOCAL_USER, is_superuser=True)
        self.ended: list[ExperimentId] = []
        self.box = AesGcmSecretsBox(data / "secret-keys.json")
        self.secrets = SecretService(units, self.clock, self.box)
        self.links = LinkService(
            units, self.store, self.clock, HmacSignedTokens(KeyFile(data / "link-keys.json"))
        )
        self.blobs = BlobService(units, self.store, self.clock)
        self.files = FileService(units, self.store, LocalSpool(data / "incoming"), self.clock)
        self.intake = Intake(self.files, ParquetTables(), limits or Limits())
        self.datasets = DatasetService(
            units, self.store, self.clock, self.ids, intake=self.intake, links=self.links
        )
        self.scalars = ScalarService(units, self.points, self.clock, self.ids, lambda p, e: None)
        self.checks = JobChecks(self.runner, PackagedTextMetrics())
        self.jobs = JobService(
            units, self.clock, self.ids,
            checks=self.checks, files=self.files, links=self.links, runner=self.runner,
        )  # fmt: skip
        erasing = WorkflowErasing(units, self.clock, self.ids, runner=self.runner, purge=self.scalars.sweep)
        self.workflows = WorkflowService(
            units, self.clock, self.ids, checks=self.checks, files=self.files, links=self.links,
            erasing=erasing, runner=self.runner,
        )  # fmt: skip
        self.evaluations = EvaluationService(
            units, self.clock, self.ids, workflows=self.workflows, erasing=erasing
        )
        leaving = Leaving(units, self.clock, self.ids, self.files, self.intake)
        self.desk = DeskService(
            units,
            self.store,
            self.clock,
            leaving=leaving,
            secrets=SystemSecrets(),
            box=self.box,
            shipped=tuple,
        )
        self.overseer = self.another_overseer("server-1")

    def another_overseer(self, holder: str) -> Overseer:
        recording = Recording(
            self.units, self.clock, self.ids,
            scalars=self.points, logged=lambda p, e: None, ended=self._note,
        )  # fmt: skip
        return Overseer(
            self.units,
            self.clock,
            attempts=Attempts(
                self.units, self.clock,
                runner=self.runner, checks=self.checks, secrets=SystemSecrets(), holder=holder,
            ),
            stepping=Stepping(
                self.units, self.clock, files=self.files, checks=self.checks, recording=recording
            ),
            together=together,
        )  # fmt: skip

    async def _note(self, project_id: ProjectId, experiment_id: ExperimentId) -> None:
        self.ended.append(experiment_id)

    async def upload(self, content: bytes = CSV, name: str = "rows.csv", **options: Any) -> Dataset:
        return await self.datasets.upload(self.actor, name, pieces(content), **options)

    async def workflow(self, dataset: Dataset, **options: Any) -> Workflow:
        made = await self.evaluations.create(self.actor, name="which is best", dataset_id=dataset.id)
        given = {
            "name": "small",
            "model": "small",
            "provider": "openai",
            "base_url": "http://localhost:1/v1",
            "metrics": ["exact_match"],
            **options,
        }
        return await self.workflows.create(self.actor, evaluation_id=made.id, **given)

    async def seconds_pass(self, seconds: int) -> None:
        """The overseer looks each second, as a server's does."""
        for _ in range(seconds):
            self.clock.advance(seconds=1)
            await self.overseer.look()

    def last_errand(self, job_id: JobId) -> Errand:
        return max(
            (e for (job, _), e in self.runner.errands.items() if job == job_id), key=lambda e: e.attempt
        )

    async def take_up(self, job_id: JobId) -> tuple[DirectDesk, Any]:
        """As the worker of a job's last attempt: its desk, and what it was told there."""
        errand = self.last_errand(job_id)
        desk = DirectDesk(self.desk, job_id, errand.attempt)
        admission = await desk.admit(errand.handle)
        self.sees(job_id, Sighting.ALIVE)
        return desk, admission

    def sees(self, job_id: JobId, sighting: Sighting, why: str = "") -> None:
        self.runner.sightings[job_id, self.last_errand(job_id).attempt] = Report(sighting, why)

    async def does_inference_alone(self, job_id: JobId) -> None:
        """An inference that stores no dataset."""
        await self.does_inference(job_id, stores=False)

    async def does_inference(self, job_id: JobId, *, stores: bool = True) -> None:
        """The whole of an inference, with upper case as the model."""
        desk, told = await self.take_up(job_id)
        rows = await self.rows(desk, told.dataset)
        await desk.begin(len(rows))
        outcomes = [self.answer(row.number, row.example) for row in rows]
        await desk.keep(outcomes, {one.number: f"{one.number:064x}" for one in outcomes})
        made = [row.answered(told.dataset.columns, "predictions", row.example.upper()) for row in rows]
        if stores:
            await desk.leave("dataset", pieces("".join(f"{json.dumps(each)}\n" for each in made).encode()))
        known = {one.number: one async for one in desk.outcomes()}
        document = inference_result(rows, known, model="small", seconds=1.0, parameters={"model": "small"})
        await desk.leave("result", pieces(json.dumps(document).encode(), 100))
        self.sees(job_id, Sighting.FINISHED)

    async def does_evaluation(self, job_id: JobId) -> None:
        desk, told = await self.take_up(job_id)
        rows = await self.rows(desk, told.dataset)
        await desk.begin(len(rows))
        scores = [float(row.prediction == row.ground_truth) for row in rows]
        document = evaluation_result(
            {"exact_match": {"exact_match": scores}},
            predictions=[row.prediction for row in rows],
            ground_truth=[row.ground_truth for row in rows],
            seconds=1.0,
            parameters={"metrics": ["exact_match"]},
        )
        await desk.leave("result", pieces(json.dumps(document).encode(), 100))
        self.sees(job_id, Sighting.FINISHED)

    async def rows(self, desk: DirectDesk, dataset: Dataset) -> list[Any]:
        content = b"".join([piece async for piece in desk.dataset()])
        return list(read_rows([content], dataset.kind, dataset.columns))

    def answer(self, number: int, example: str, **fields: Any) -> RowOutcome:
        given: Mapping[str, Any] = {
            "number": number,
            "input_hash": input_hash(example).hex(),
            "prediction": example.upper(),
            "input_tokens": 3,
            "output_tokens": 1,
            "at": self.clock.now(),
            **fields,
        }
        return RowOutcome(**given)

    async def text_behind(self, link: str) -> bytes:
        found = await self.links.follow(link)
        return b"".join([piece async for piece in found.blob.read()])

    async def everything_ends(self, most: int = 300) -> None:
        """Time passes until nothing is left to look after."""
        for _ in range(most):
            await self.seconds_pass(1)
            async with self.units.reading() as unit:
                if not await unit.jobs.to_look_after() and not await unit.workflows.to_look_after():
                    return
            await asyncio.sleep(0)
        raise AssertionError("something is stuck")
