"""Datasets in memory."""

from __future__ import annotations

from collections.abc import Collection

from tracker.adapters.memory.evaluation.forgetting import require_project, require_user
from tracker.adapters.memory.state import Current
from tracker.domain.errors import AlreadyExists, NotFound
from tracker.domain.evaluation.datasets.dataset import Dataset
from tracker.domain.ids import DatasetId, JobId, ProjectId
from tracker.ports.evaluation.datasets import DatasetPage

__all__ = ["MemoryDatasetRepository"]


class MemoryDatasetRepository:
    """Keeps the port :class:`tracker.ports.evaluation.datasets.DatasetRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def add(self, dataset: Dataset) -> None:
        """Keeps a new one."""
        state = self._current.state
        key = _revision(dataset)
        if dataset.id in state.datasets or any(_revision(each) == key for each in state.datasets.values()):
            raise AlreadyExists(f"dataset {dataset.filename} is there already")
        require_project(state, "dataset", dataset.filename, dataset.project_id)
        require_user(state, "dataset", dataset.filename, dataset.created_by)
        for other in (dataset.previous_id, dataset.lineage and dataset.lineage.source_id):
            if other is not None and other not in state.datasets:
                raise NotFound(f"dataset {dataset.filename}: what it belongs to was not found")
        state.datasets[dataset.id] = dataset

    async def get(self, dataset_id: DatasetId) -> Dataset:
        """The dataset."""
        try:
            return self._current.state.datasets[dataset_id]
        except KeyError as error:
            raise NotFound.of("dataset", dataset_id) from error

    async def newest(self, project_id: ProjectId, filename: str) -> Dataset | None:
        """The last revision."""
        every = self._current.state.datasets.values()
        found = [each for each in every if (each.project_id, each.filename) == (project_id, filename)]
        return max(found, key=lambda each: each.revision, default=None)

    async def page(
        self, project_ids: Collection[ProjectId] | None, *, skip: int = 0, limit: int = 100
    ) -> DatasetPage:
        """Some, newest first."""
        every = self._current.state.datasets.values()
        found = [each for each in every if project_ids is None or each.project_id in project_ids]
        found.sort(key=lambda each: (each.created_at, each.id), reverse=True)
        return DatasetPage(len(found), tuple(found[skip : skip + limit]))

    async def of_jobs(self, job_ids: Collection[JobId]) -> tuple[Dataset, ...]:
        """Those that jobs made, oldest first."""
        every = self._current.state.datasets.values()
        found = [each for each in every if each.lineage is not None and each.lineage.job_id in job_ids]
        return tuple(sorted(found, key=lambda each: (each.created_at, each.id)))

    async def delete(self, dataset_id: DatasetId) -> None:
        """Removes it, and the links to it."""
        state = self._current.state
        await self.get(dataset_id)
        del state.datasets[dataset_id]
        for key, other in state.datasets.items():
            if other.previous_id == dataset_id:
                state.datasets[key] = other.evolve(previous_id=None)
            lineage = other.lineage
            if lineage is not None and lineage.source_id == dataset_id:
                state.datasets[key] = state.datasets[key].evolve(lineage=lineage.evolve(source_id=None))


def _revision(dataset: Dataset) -> tuple[ProjectId, str, int]:
    return dataset.project_id, dataset.filename, dataset.revision
