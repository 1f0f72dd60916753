from __future__ import annotations

from datetime import timedelta

import pytest

from tests.evaluation_factories import a_dataset, a_job
from tests.factories import NOON, a_project, a_user, new_id
from tracker.domain.errors import AlreadyExists, NotFound
from tracker.domain.evaluation.datasets.dataset import Coverage, Dataset, Lineage
from tracker.domain.evaluation.datasets.filenames import FileKind
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.domain.projects.project import Project
from tracker.ports.unit_of_work import UnitsOfWork

HOUR = timedelta(hours=1)


async def kept(units: UnitsOfWork, *datasets: Dataset) -> None:
    async with units.writing() as unit:
        for dataset in datasets:
            await unit.datasets.add(dataset)
        await unit.commit()


class TestDatasetRepository:
    """What every adapter of the datasets port keeps."""

    async def test_a_dataset_comes_back_as_it_was(self, units: UnitsOfWork, project: Project) -> None:
        plain = a_dataset(project, created_by=None)
        full = a_dataset(
            project, filename="数据 '\"%_.parquet", kind=FileKind.PARQUET, size=2**53 - 1,
            names=("вход", "sollte", "ist", '"\\\n', "🎯"),
            columns=Columns(examples="вход", ground_truth="sollte", predictions="ist"),
            coverage=Coverage(rows=10_000_000, ground_truth=2, predictions=3),
            lineage=Lineage(job_id=JobId(new_id()), source_id=plain.id, generated_by="http://x/v1#m"),
            revision=2, previous_id=plain.id, label="Prüfung", version=3,
        )  # fmt: skip
        await kept(units, plain, full)
        async with units.reading() as unit:
            assert await unit.datasets.get(full.id) == full
            assert await unit.datasets.get(plain.id) == plain
            with pytest.raises(NotFound):
                await unit.datasets.get(DatasetId(new_id()))

    async def test_the_last_revision_of_a_name_in_a_project_is_the_newest(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        first = a_dataset(project, filename="a.csv")
        second = a_dataset(project, b"x", filename="a.csv", created_at=NOON - HOUR).follows(first)
        await kept(units, first, second, a_dataset(project, filename="A.csv"))
        async with units.writing() as unit:
            assert await unit.datasets.newest(project.id, "a.csv") == second
            assert await unit.datasets.newest(project.id, "b.csv") is None
            assert await unit.datasets.newest(ProjectId(new_id()), "a.csv") is None
            await unit.datasets.delete(second.id)
            assert await unit.datasets.newest(project.id, "a.csv") == first

    async def test_an_id_and_a_revision_are_taken_once(self, units: UnitsOfWork, project: Project) -> None:
        first = a_dataset(project, filename="a.csv")
        elsewhere = a_project()
        async with units.writing() as unit:
            await unit.projects.add(elsewhere)
            await unit.commit()
        await kept(units, first, a_dataset(elsewhere, filename="a.csv"))
        for taken in (a_dataset(project, id=first.id), a_dataset(project, filename="a.csv")):
            with pytest.raises(AlreadyExists):
                await kept(units, taken)

    async def test_what_it_belongs_to_must_be_there(self, units: UnitsOfWork, project: Project) -> None:
        nobody = DatasetId(new_id())
        lineage = Lineage(job_id=JobId(new_id()), source_id=nobody, generated_by="m")
        for lost in (
            a_dataset(a_project()),
            a_dataset(project, created_by=new_id()),
            a_dataset(project, revision=2, previous_id=nobody),
            a_dataset(project, lineage=lineage),
        ):
            with pytest.raises(NotFound):
                await kept(units, lost)

    async def test_a_page_is_the_newest_of_the_projects_and_tells_how_many_there_are(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        elsewhere = a_project()
        async with units.writing() as unit:
            await unit.projects.add(elsewhere)
            await unit.commit()
        mine = [a_dataset(project, created_at=NOON + n // 2 * HOUR) for n in range(5)]
        other = a_dataset(elsewhere, created_at=NOON + 9 * HOUR)
        await kept(units, *mine, other)
        newest = sorted(mine, key=lambda each: (each.created_at, each.id), reverse=True)
        async with units.reading() as unit:
            assert await unit.datasets.page([project.id]) == (5, tuple(newest))
            assert await unit.datasets.page([project.id], skip=1, limit=2) == (5, tuple(newest[1:3]))
            assert await unit.datasets.page(None, limit=1) == (6, (other,))
            assert await unit.datasets.page([project.id, elsewhere.id], skip=6) == (6, ())
            assert await unit.datasets.page(None, skip=10**30) == (6, ())
            assert await unit.datasets.page([]) == (0, ())

    async def test_what_a_job_made_outlives_it(self, units: UnitsOfWork, project: Project) -> None:
        job, other = a_job(project), JobId(new_id())
        made = [
            a_dataset(project, lineage=Lineage(job_id=key, generated_by="m"), created_at=NOON - number * HOUR)
            for number, key in enumerate((job.id, job.id, other))
        ]
        async with units.writing() as unit:
            await unit.jobs.add(job)
            await unit.commit()
        await kept(units, *made, a_dataset(project))
        async with units.writing() as unit:
            await unit.jobs.delete(job.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.datasets.of_jobs([job.id]) == (made[1], made[0])
            assert await unit.datasets.of_jobs([other, job.id]) == (made[2], made[1], made[0])
            assert await unit.datasets.of_jobs([]) == ()

    async def test_a_deleted_one_is_forgotten_by_those_that_came_of_it(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        first = a_dataset(project, filename="a.csv")
        second = a_dataset(project, b"x", filename="a.csv").follows(first)
        lineage = Lineage(job_id=JobId(new_id()), source_id=first.id, generated_by="m")
        made = a_dataset(project, lineage=lineage)
        await kept(units, first, second, made)
        async with units.writing() as unit:
            await unit.datasets.delete(first.id)
            await unit.commit()
        async with units.writing() as unit:
            assert await unit.datasets.get(second.id) == second.evolve(previous_id=None)
            assert await unit.datasets.get(made.id) == made.evolve(lineage=lineage.evolve(source_id=None))
            with pytest.raises(NotFound):
                await unit.datasets.delete(first.id)

    async def test_they_go_with_their_project_and_forget_who_brought_them(
        self, units: UnitsOfWork, project: Project
    ) -> None:
        user, gone = a_user(), a_project()
        stays, goes = a_dataset(project, created_by=user.id), a_dataset(gone)
        async with units.writing() as unit:
            await unit.users.add(user)
            await unit.projects.add(gone)
            await unit.commit()
        await kept(units, stays, goes)
        async with units.writing() as unit:
            await unit.users.delete(user.id)
            await unit.projects.delete(gone.id)
            await unit.commit()
        async with units.reading() as unit:
            assert await unit.datasets.page(None) == (1, (stays.evolve(created_by=None),))
