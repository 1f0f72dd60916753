"""What evaluations keep, in memory and in SQLite, step by step the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import initialize, precondition, rule

from tests import evaluation_strategies as drawing
from tests.factories import NOON, a_project, an_experiment, new_id
from tests.side_by_side import SideBySide, close_shared_database
from tests.tries import tries
from tracker.domain.evaluation.jobs.job import Job, JobKind
from tracker.domain.evaluation.secrets import SealedSecret
from tracker.domain.evaluation.workflows.workflow import Workflow
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import DatasetId, EvaluationId, ExperimentId, JobId, ProjectId, WorkflowId
from tracker.ports.unit_of_work import WritingUnit

HOUR = timedelta(hours=1)
SECRETS = ["a", "ä", "_"]
pages = st.tuples(st.integers(0, 3), st.integers(1, 3))


class EvaluationsInMemoryAndSqlite(SideBySide):
    """Datasets, jobs and all that hangs on them, while projects, experiments and jobs go."""

    def __init__(self) -> None:
        super().__init__()
        self.projects: list[ProjectId] = []
        self.runs: list[ExperimentId] = [ExperimentId(new_id())]  # one that was never there
        self.datasets: list[DatasetId] = []
        self.jobs: list[Job] = []  # every state ever seen: old ones are stale
        self.evaluations: list[tuple[EvaluationId, ProjectId]] = []
        self.flows: list[Workflow] = []
        self.values: list[SealedSecret] = []

    @initialize()
    def furnish(self) -> None:
        self.both(emptied)
        for _ in range(2):
            project = a_project()
            self.both(lambda unit, project=project: unit.projects.add(project))
            self.projects.append(project.id)
            run = an_experiment(project)
            self.both(lambda unit, run=run: unit.experiments.add(run))
            self.runs.append(run.id)
        self.both(lambda unit: unit.blobs.reserve(drawing.DIGESTS, review_at=NOON))

    @rule(data=st.data(), fresh=st.booleans())
    def add_a_dataset(self, data: st.DataObject, fresh: bool) -> None:
        key = DatasetId(new_id())
        if self.datasets and not fresh:
            key = data.draw(st.sampled_from(self.datasets))
        place = data.draw(st.sampled_from(self.projects))
        jobs = [job.id for job in self.jobs[-2:]]
        drawn = data.draw(drawing.datasets(key, place, [*self.datasets[-2:], DatasetId(new_id())], jobs))
        if self.both(lambda unit: unit.datasets.add(drawn)) is None:
            self.datasets.append(key)

    @precondition(lambda self: self.datasets)
    @rule(data=st.data())
    def delete_a_dataset(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.datasets))
        self.both(lambda unit: unit.datasets.delete(key))

    @rule(data=st.data(), fresh=st.sampled_from([True, True, False]))
    def add_a_job(self, data: st.DataObject, fresh: bool) -> None:
        key = JobId(new_id())
        if self.jobs and not fresh:
            key = data.draw(st.sampled_from(self.jobs)).id
        drawn = data.draw(drawing.jobs(key, data.draw(st.sampled_from(self.projects))))
        if self.both(lambda unit: unit.jobs.add(drawn)) is None:
            self.jobs.append(drawn)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def save_a_job(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.jobs))
        drawn = data.draw(drawing.jobs(old.id, old.project_id, old.version))
        saved = self.both(lambda unit: unit.jobs.save(drawn))
        if isinstance(saved, Job):
            self.jobs.append(saved)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def keep_rows(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.jobs)).id
        rows = data.draw(st.lists(drawing.outcomes(st.sampled_from([1, 2, 3, 2**31 - 1])), max_size=6))
        self.both(lambda unit: unit.job_rows.keep(key, rows))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def leave_a_file_and_a_pass(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.jobs)).id
        file, pass_ = data.draw(drawing.job_files), data.draw(drawing.passes(key))
        self.both(lambda unit: unit.job_files.put(key, file))
        self.both(lambda unit: unit.job_passes.put(pass_))

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), releases=st.booleans())
    def delete_a_job(self, data: st.DataObject, releases: bool) -> None:
        key = data.draw(st.sampled_from(self.jobs)).id
        if releases:
            self.both(lambda unit: unit.blobs.release_jobs([key], review_at=NOON + HOUR))
        self.both(lambda unit: unit.jobs.delete(key))

    @rule(data=st.data(), remembered=drawing.answers)
    def remember(self, data: st.DataObject, remembered: dict[str, object]) -> None:
        place = data.draw(st.sampled_from([*self.projects, ProjectId(new_id())]))
        self.both(lambda unit: unit.answers.keep(place, remembered))

    @rule(data=st.data())
    def add_an_evaluation(self, data: st.DataObject) -> None:
        key, place = EvaluationId(new_id()), data.draw(st.sampled_from(self.projects))
        drawn = data.draw(drawing.evaluations(key, place))
        if self.both(lambda unit: unit.evaluations.add(drawn)) is None:
            self.evaluations.append((key, place))

    @precondition(lambda self: self.evaluations)
    @rule(data=st.data())
    def delete_an_evaluation(self, data: st.DataObject) -> None:
        key, _ = data.draw(st.sampled_from(self.evaluations))
        self.both(lambda unit: unit.evaluations.delete(key))

    @precondition(lambda self: self.evaluations)
    @rule(data=st.data())
    def add_a_workflow(self, data: st.DataObject) -> None:
        under = data.draw(st.sampled_from(self.evaluations))
        drawn = data.draw(drawing.workflows(WorkflowId(new_id()), under, self.runs))
        if self.both(lambda unit: unit.workflows.add(drawn)) is None:
            self.flows.append(drawn)

    @precondition(lambda self: self.flows)
    @rule(data=st.data(), goes=st.sampled_from([False, False, True]))
    def save_or_delete_a_workflow(self, data: st.DataObject, goes: bool) -> None:
        old = data.draw(st.sampled_from(self.flows))
        if goes:
            self.both(lambda unit: unit.workflows.delete(old.id))
            return
        under = (old.evaluation_id, old.project_id)
        drawn = data.draw(drawing.workflows(old.id, under, self.runs, old.version))
        saved = self.both(lambda unit: unit.workflows.save(drawn))
        if isinstance(saved, Workflow):
            self.flows.append(saved)

    @rule(data=st.data())
    def delete_an_experiment(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.runs))
        self.both(lambda unit: unit.experiments.delete(key))

    @precondition(lambda self: len(self.jobs) + len(self.flows) > 4)
    @rule(data=st.data())
    def delete_a_project(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.projects))
        self.both(lambda unit: unit.blobs.release(key, review_at=NOON + HOUR))
        self.both(lambda unit: unit.projects.delete(key))

    @rule(data=st.data(), name=st.sampled_from(SECRETS), goes=st.sampled_from([False, False, True]))
    def put_or_delete_a_secret(self, data: st.DataObject, name: str, goes: bool) -> None:
        if goes:
            self.both(lambda unit: unit.evaluation_secrets.delete(LOCAL_USER, name))
            return
        secret, value = data.draw(drawing.secrets(name)), data.draw(drawing.sealed_secrets(name))
        self.both(lambda unit: unit.evaluation_secrets.put(LOCAL_USER, secret, value))
        self.values.append(value)

    @precondition(lambda self: self.values)
    @rule(data=st.data())
    def reseal(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.values))
        new = data.draw(drawing.sealed_secrets(old.name))
        if self.both(lambda unit: unit.evaluation_secrets.reseal(LOCAL_USER, old, new)):
            self.values.append(new)

    @rule(model=drawing.models, goes=st.sampled_from([False, False, True]))
    def put_or_delete_a_model(self, model: drawing.CatalogueEntry, goes: bool) -> None:
        if goes:
            self.both(lambda unit: unit.catalogue_models.delete(model.key))
        else:
            self.both(lambda unit: unit.catalogue_models.put(model))

    @rule(page=pages, kinds=st.lists(st.sampled_from(JobKind), max_size=2))
    def look_at_pages(self, page: tuple[int, int], kinds: list[JobKind]) -> None:
        skip, limit = page
        for places in (None, self.projects[:1], self.projects, []):
            self.both(lambda unit, p=places: unit.datasets.page(p, skip=skip, limit=limit))
            self.both(lambda unit, p=places: unit.jobs.page(p, kinds=kinds, skip=skip, limit=limit))
            self.both(lambda unit, p=places: unit.evaluations.page(p, skip=skip, limit=limit))

    @rule()
    def look_at_what_is_to_be_done(self) -> None:
        self.both(lambda unit: unit.jobs.to_look_after())
        self.both(lambda unit: unit.workflows.to_look_after())
        self.both(lambda unit: unit.evaluation_secrets.under_other_keys("a" * 8, 2))
        for digests in ([digest] for digest in drawing.DIGESTS):
            self.both(lambda unit, d=digests: unit.blobs.referred(d, None))
            self.both(lambda unit, d=digests: unit.blobs.referred(d, self.projects[:1]))
            self.both(lambda unit, d=digests: scopes(unit, d))
        self.both(lambda unit: unit.blobs.due(NOON + HOUR, 10))

    @rule(after=st.integers(0, 3), limit=st.integers(1, 3))
    def look_at_each(self, after: int, limit: int) -> None:
        ids = list({job.id: None for job in self.jobs})
        self.both(lambda unit: unit.jobs.some(ids))
        self.both(lambda unit: unit.datasets.of_jobs(ids))
        for name in ("result", "dataset"):
            self.both(lambda unit, name=name: unit.job_files.find(ids, name))
        for key in ids[-3:]:
            self.both(lambda unit, key=key: unit.jobs.get(key))
            self.both(lambda unit, key=key: unit.job_rows.some(key, after=after, limit=limit))
            self.both(lambda unit, key=key: unit.job_rows.answered(key))
            self.both(lambda unit, key=key: unit.job_passes.get(key, limit))
        for dataset in self.datasets[-3:]:
            self.both(lambda unit, key=dataset: unit.datasets.get(key))
        for place in self.projects:
            self.both(lambda unit, key=place: unit.datasets.newest(key, "a.csv"))
            self.both(lambda unit, key=place: unit.answers.find(key, drawing.DIGESTS))
        under = [key for key, _ in self.evaluations]
        self.both(lambda unit: unit.workflows.of_evaluations(under))
        for flow in self.flows[-3:]:
            self.both(lambda unit, key=flow.id: unit.workflows.get(key))
        self.both(lambda unit: unit.evaluation_secrets.list(LOCAL_USER))
        for name in SECRETS:
            self.both(lambda unit, name=name: unit.evaluation_secrets.sealed(LOCAL_USER, name))
        self.both(lambda unit: unit.catalogue_models.list())


async def scopes(unit: WritingUnit, digests: list[str]) -> set[object]:
    return set(await unit.blobs.referring(digests))


async def emptied(unit: WritingUnit) -> None:
    """What no project has and outlives an example in the shared database."""
    await unit.blobs.forget(drawing.DIGESTS)
    for secret in await unit.evaluation_secrets.list(LOCAL_USER):
        await unit.evaluation_secrets.delete(LOCAL_USER, secret.name)
    for entry in await unit.catalogue_models.list():
        await unit.catalogue_models.delete(entry.key)


@pytest.fixture(scope="module", autouse=True)
def closed_at_the_end() -> Iterator[None]:
    yield
    close_shared_database()


EvaluationsInMemoryAndSqlite.TestCase.settings = settings(
    max_examples=tries(12), stateful_step_count=25, deadline=None
)
TestEvaluationsInMemoryAndSqliteAgree = EvaluationsInMemoryAndSqlite.TestCase
