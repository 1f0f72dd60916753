"""Blobs of datasets and of files of jobs are referred to, as those of artifacts are."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from tests.evaluation_factories import a_dataset, a_job, a_job_file
from tests.factories import NOON, a_project, an_artifact, an_experiment
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.evaluation.jobs.job import Job
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)
A, B, C, D = (digest_of(content) for content in (b"a", b"b", b"c", b"d"))


class Here(NamedTuple):
    project: Project
    elsewhere: Project
    dataset: Dataset
    job: Job


@pytest.fixture
async def here(units: UnitsOfWork) -> Here:
    """A dataset of A and a job's file of B in a project, an artifact of A and a job's file of C elsewhere."""
    project, elsewhere = a_project(), a_project()
    dataset, job = a_dataset(project, b"a"), a_job(project)
    run, far = an_experiment(elsewhere), a_job(elsewhere)
    async with units.writing() as unit:
        for each in (project, elsewhere):
            await unit.projects.add(each)
        await unit.datasets.add(dataset)
        for made in (job, far):
            await unit.jobs.add(made)
        await unit.experiments.add(run)
        await unit.artifacts.put(an_artifact(run, b"a"))
        await unit.job_files.put(job.id, a_job_file(b"b"))
        await unit.job_files.put(far.id, a_job_file(b"c", name="dataset"))
        await unit.blobs.reserve([A, B, C, D], review_at=NOON)
        await unit.blobs.keep([A, B, C, D], at=NOON, uploaded_before=NOON)
        await unit.commit()
    return Here(project, elsewhere, dataset, job)


class TestReferences:
    """What every adapter of the port of what is known of blobs keeps about evaluations."""

    async def test_datasets_and_files_of_jobs_refer_to_blobs_of_their_project(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        async with units.reading() as unit:
            assert await unit.blobs.referred([A, B, C, D], None) == {A, B, C}
            assert await unit.blobs.referred([A, B, C, D], [here.project.id]) == {A, B}
            assert await unit.blobs.referred([A, B, C, D], [here.elsewhere.id]) == {A, C}
            assert await unit.blobs.referring([B]) == (here.project.scope,)
            assert await unit.blobs.referring([C]) == (here.elsewhere.scope,)
            assert set(await unit.blobs.referring([A])) == {here.project.scope, here.elsewhere.scope}

    async def test_what_is_deleted_refers_to_nothing(self, units: UnitsOfWork, here: Here) -> None:
        async with units.writing() as unit:
            await unit.datasets.delete(here.dataset.id)
            assert await unit.blobs.referred([A, B, C], [here.project.id]) == {B}
            await unit.job_files.put(here.job.id, a_job_file(b"d"))  # in the place of the other one
            assert await unit.blobs.referred([A, B, C, D], [here.project.id]) == {D}
            await unit.jobs.delete(here.job.id)
            assert await unit.blobs.referred([A, B, C, D], None) == {A, C}

    async def test_files_of_jobs_that_are_about_to_be_deleted_are_released(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        async with units.writing() as unit:
            await unit.blobs.release_jobs([], review_at=NOON)
            assert await unit.blobs.due(NOON, 10) == ()
            await unit.blobs.release_jobs([here.job.id, a_job(here.project).id], review_at=NOON + HOUR)
            assert await unit.blobs.due(NOON, 10) == ()
            assert await unit.blobs.due(NOON + HOUR, 10) == (B,)

    async def test_a_project_that_is_about_to_be_deleted_releases_them_all(
        self, units: UnitsOfWork, here: Here
    ) -> None:
        async with units.writing() as unit:
            await unit.blobs.release(here.project.id, review_at=NOON + HOUR)
            assert set(await unit.blobs.due(NOON + HOUR, 10)) == {A, B}
            await unit.projects.delete(here.project.id)
            assert await unit.blobs.referred([A, B, C], None) == {A, C}

    async def test_an_experiment_releases_none_of_them(self, units: UnitsOfWork, here: Here) -> None:
        run = an_experiment(here.project)
        async with units.writing() as unit:
            await unit.experiments.add(run)
            await unit.blobs.release(here.project.id, run.id, review_at=NOON)
            assert await unit.blobs.due(NOON, 10) == ()
