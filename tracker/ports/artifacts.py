"""Where it is kept which blobs mean what, and who may know of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.artifacts.snapshot import Snapshot
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ArtifactId, ExperimentId, JobId, ProjectId, SnapshotId, UserId

__all__ = ["ArtifactRepository", "BlobRepository", "SnapshotRepository"]


class ArtifactRepository(Protocol):
    """Artifacts. Changes show to others once the unit of work is committed."""

    async def put(self, artifact: Artifact) -> Artifact:
        """Keeps it; one with the key (experiment, name, step) of a kept one replaces all of it but its id.

        Returns:
            The artifact as kept.

        Raises:
            NotFound: its experiment does not exist.
        """
        ...

    async def get(self, artifact_id: ArtifactId) -> Artifact:
        """The artifact.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def find(self, experiment_id: ExperimentId, name: str, step: int | None) -> Artifact | None:
        """The one of this key; ``None`` where there is none."""
        ...

    async def of_experiment(
        self, experiment_id: ExperimentId, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's, or those of this kind and exact name, by :attr:`Artifact.order`; text by code
        point."""
        ...


class SnapshotRepository(Protocol):
    """Snapshots. Changes show to others once the unit of work is committed."""

    async def add(self, snapshot: Snapshot) -> None:
        """Keeps a new one. Snapshots of the same files share what is kept of them.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its experiment does not exist.
        """
        ...

    async def get(self, snapshot_id: SnapshotId) -> Snapshot:
        """The snapshot.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def of_experiments(
        self, experiment_ids: Collection[ExperimentId]
    ) -> Mapping[ExperimentId, Sequence[Snapshot]]:
        """Those of each of these experiments that has any, oldest first (ties by id)."""
        ...


class BlobRepository(Protocol):
    """What is known of blobs: who put them, who refers to them, and which may soon be deleted.

    A blob is *referred to* by an artifact, by a snapshot that has a file of these bytes, by a dataset,
    or by a file that a job left. One that nobody refers to is up for review from a moment on, and is
    deleted then.
    """

    async def reserve(self, digests: Collection[str], *, review_at: datetime) -> None:
        """Notes, before their bytes are put, that blobs are about to be here and are up for review not
        before `review_at`."""
        ...

    async def note_uploads(self, sizes: Mapping[str, int], user_id: UserId, at: datetime) -> None:
        """Notes that the bytes of reserved blobs are here, how many there are, and that the user had them.

        Raises:
            NotFound: one is not reserved.
        """
        ...

    async def uploaded(self, digests: Collection[str], user_id: UserId, since: datetime) -> frozenset[str]:
        """Those that the user put at `since` or later."""
        ...

    async def referring(self, digests: Collection[str]) -> tuple[ProjectScope, ...]:
        """The projects that refer to any of them, in no particular order."""
        ...

    async def referred(
        self, digests: Collection[str], project_ids: Collection[ProjectId] | None
    ) -> frozenset[str]:
        """Those to which one of these projects (``None`` = any) refers."""
        ...

    async def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """The size of each of them whose bytes were put."""
        ...

    async def expiring(self, digests: Collection[str], *, before: datetime) -> frozenset[str]:
        """Those of them that are up for review before this moment."""
        ...

    async def postpone(self, digests: Collection[str], *, review_at: datetime) -> None:
        """Has those of them that are up for review wait at least until then."""
        ...

    async def release(
        self, project_id: ProjectId, experiment_id: ExperimentId | None = None, *, review_at: datetime
    ) -> None:
        """Has all blobs to which an experiment, or a whole project, refers reviewed at `review_at` or later;
        to be called before it is deleted."""
        ...

    async def release_jobs(self, job_ids: Collection[JobId], *, review_at: datetime) -> None:
        """The same for all files that these jobs left. Datasets that they made are datasets of their own."""
        ...

    async def release_one(self, digest: str, *, review_at: datetime) -> None:
        """The same for one blob."""
        ...

    async def due(self, at: datetime, limit: int) -> tuple[str, ...]:
        """Some that are to be reviewed by `at`, the earliest first."""
        ...

    async def keep(self, digests: Collection[str], *, at: datetime, uploaded_before: datetime) -> None:
        """Takes those that are due at `at` out of the review, since somebody refers to them, and forgets who
        put them before `uploaded_before`."""
        ...

    async def forget(self, digests: Collection[str]) -> None:
        """Forgets blobs, and what is kept of trees of files that no snapshot has any more."""
        ...
