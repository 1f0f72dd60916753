"""Use cases of datasets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from tracker.domain.artifacts.blobs.service import Blob, opened
from tracker.domain.evaluation.datasets.dataset import Dataset, DatasetFormat
from tracker.domain.evaluation.datasets.filenames import file_kind, sanitised
from tracker.domain.evaluation.datasets.limits import Limits
from tracker.domain.evaluation.datasets.rows import Columns
from tracker.domain.evaluation.datasets.uploads.service import Intake, Taken
from tracker.domain.evaluation.homes.service import home, require_in, seen_projects
from tracker.domain.evaluation.links.service import LinkService
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.domain.projects.purge import GRACE
from tracker.domain.projects.service import visible_project
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.evaluation.datasets import DatasetPage
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["DatasetDeletion", "DatasetService", "visible_dataset"]


KEPT_OF_DATASETS = (
    "evaluations and jobs that read it, with their results",
    "datasets that jobs made of it",
    "answers of models, which the cache of its project remembers",
)
"""What no deletion of a dataset takes away."""


class DatasetDeletion(NamedTuple):
    """What the deletion of a dataset did.

    Attributes:
        dataset: that is gone, its bytes with it once nothing else refers to them.
        failing: jobs that had not ended and read it; they fail with this as their reason.
        kept: what stays, in words.
    """

    dataset: Dataset
    failing: tuple[JobId, ...]
    kept: tuple[str, ...]


class DatasetService:
    """Takes datasets in, tells of them and gives them back.

    Args:
        units: opens units of work.
        store: of their bytes.
        clock: tells when things happen.
        ids: names new things.
        intake: takes files in.
        links: signs links to them.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        store: BlobStore,
        clock: Clock,
        ids: IdGenerator,
        *,
        intake: Intake,
        links: LinkService,
    ) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._ids = ids
        self._intake = intake
        self._links = links

    @property
    def limits(self) -> Limits:
        """What an upload may hold."""
        return self._intake.limits

    async def upload(
        self,
        actor: Actor,
        filename: str,
        chunks: AsyncIterator[bytes],
        *,
        project_id: ProjectId | None = None,
        format: DatasetFormat = DatasetFormat.JOB,
        columns: Columns | None = None,
        label: str | None = None,
    ) -> Dataset:
        """A new dataset, or a new revision of the one of this file name. Memory does not grow with it.

        Rows that are those of the newest revision of its name, with columns in the same parts, make no new
        one: that revision is given.

        Args:
            actor: who adds it.
            filename: as the upload says; it is sanitised, and its ending tells how the file is written.
            chunks: the file's bytes, not compressed.
            project_id: where it belongs; ``None`` = the project ``evaluations`` of `actor`, made at first
                use.
            format: what it is for.
            columns: which play which part.
            label: a name that people give it.

        Raises:
            NotFound: there is no such project that `actor` may see.
            Forbidden: they may not add to it.
            Invalid: the file breaks a rule; names row and column. The kind of its problem is
                ``missing_examples`` where there is no column of examples, or nothing at all.
            TooLarge: the file is larger than the limits allow.
            Unavailable: the disk or store is full; nothing was kept.
        """
        place = await home(self._units, self._clock, self._ids, actor, project_id)
        name, parts = sanitised(filename), columns or Columns()
        kind = file_kind(name)
        async with self._intake.taken(chunks, kind, parts, actor.user_id, generated=False) as taken:
            dataset = Dataset(
                id=DatasetId(self._ids.new()),
                project_id=place,
                filename=name,
                format=format,
                kind=kind,
                size=taken.put.size,
                digest=taken.put.digest,
                columns=parts,
                label=label,
                created_at=self._clock.now(),
                created_by=actor.user_id,
                **taken.facts._asdict(),
            )
            return await self._added(actor, dataset, taken)

    async def _added(self, actor: Actor, dataset: Dataset, taken: Taken) -> Dataset:
        async with self._units.writing() as unit:
            await visible_project(unit, actor, dataset.project_id, Action.EXPERIMENTS_CREATE)
            await unit.lock(f"dataset:{dataset.project_id}:{dataset.filename}")
            newest = await unit.datasets.newest(dataset.project_id, dataset.filename)
            if newest is not None:
                if _says_the_same(newest, dataset):
                    return newest
                dataset = dataset.follows(newest)
            await taken.put.refer(unit, dataset.created_at)
            await unit.datasets.add(dataset)
            await unit.commit()
        return dataset

    async def page(
        self, actor: Actor, *, project_id: ProjectId | None = None, skip: int = 0, limit: int = 100
    ) -> DatasetPage:
        """Those that `actor` may see, newest first; of one project, or of all.

        Raises:
            NotFound: there is no such project that `actor` may see.
        """
        async with self._units.reading() as unit:
            places = await seen_projects(unit, actor, project_id)
            return await unit.datasets.page(places, skip=skip, limit=limit)

    async def get(self, actor: Actor, dataset_id: DatasetId) -> Dataset:
        """One dataset.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await visible_dataset(unit, actor, dataset_id, Action.EXPERIMENTS_VIEW)

    async def open(self, actor: Actor, dataset_id: DatasetId) -> tuple[Dataset, Blob]:
        """One dataset and its file's bytes.

        Raises:
            NotFound: there is none that `actor` may see.
            Unavailable: the store lost its bytes.
        """
        dataset = await self.get(actor, dataset_id)
        return dataset, await opened(self._store, dataset.digest)

    async def links(
        self, actor: Actor, dataset_id: DatasetId, extension: str | None = None
    ) -> tuple[str, ...]:
        """Links to the dataset's files, for :meth:`LinkService.follow`.

        Args:
            actor: who asks.
            dataset_id: which.
            extension: only of files whose name ends so, whatever the case; ``None`` = all.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        dataset = await self.get(actor, dataset_id)
        if extension is not None and not dataset.filename.lower().endswith(extension.lower()):
            return ()
        return (self._links.to_dataset(dataset.id),)

    async def delete(self, actor: Actor, dataset_id: DatasetId) -> DatasetDeletion:
        """Removes it. Jobs that have not ended and read it fail, and say why.

        Raises:
            NotFound: there is none that `actor` may see.
            Forbidden: they may not delete it.
        """
        async with self._units.writing() as unit:
            dataset = await visible_dataset(unit, actor, dataset_id, Action.EXPERIMENTS_DELETE)
            open_jobs = await unit.jobs.some(await unit.jobs.to_look_after())
            await unit.blobs.release_one(dataset.digest, review_at=self._clock.now() + GRACE)
            await unit.datasets.delete(dataset_id)
            await unit.commit()
        failing = [job.id for job in open_jobs.values() if job.dataset_id == dataset_id]
        return DatasetDeletion(dataset, tuple(failing), KEPT_OF_DATASETS)


async def visible_dataset(unit: ReadingUnit, actor: Actor, dataset_id: DatasetId, action: Action) -> Dataset:
    """The dataset, if `actor` may do `action` in its project.

    Raises:
        NotFound: there is none, or the actor may not see it.
        Forbidden: they may see it, but not do this.
    """
    dataset = await unit.datasets.get(dataset_id)
    await require_in(unit, actor, dataset.project_id, action, kind="dataset", key=dataset_id)
    return dataset


def _says_the_same(present: Dataset, new: Dataset) -> bool:
    return (
        present.content_hash == new.content_hash
        and present.columns == new.columns
        and new.label in (None, present.label)
    )
