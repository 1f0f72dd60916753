"""Blobs in memory: what is known of them, and their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from datetime import datetime

from tracker.adapters.memory.state import BlobRow, Current
from tracker.domain.artifacts.digest import require_digests
from tracker.domain.errors import Conflict, NotFound
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, JobId, ProjectId, UserId

__all__ = ["MemoryBlobRepository", "MemoryBlobStore"]

_PIECE = 2**20


class MemoryBlobRepository:
    """Keeps the port :class:`tracker.ports.artifacts.BlobRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def reserve(self, digests: Collection[str], *, review_at: datetime) -> None:
        """Notes that some are coming."""
        for digest in digests:
            self._current.state.blobs.setdefault(digest, BlobRow(None, review_at))
        await self.postpone(digests, review_at=review_at)

    async def note_uploads(self, sizes: Mapping[str, int], user_id: UserId, at: datetime) -> None:
        """Notes that some have come."""
        state = self._current.state
        for digest, size in sizes.items():
            if digest not in state.blobs or user_id not in state.users:
                raise NotFound.of("blob", digest)
            state.blobs[digest] = state.blobs[digest]._replace(size=size)
            state.uploads[digest, user_id] = at

    async def uploaded(self, digests: Collection[str], user_id: UserId, since: datetime) -> frozenset[str]:
        """Those that a user put lately."""
        uploads = self._current.state.uploads
        return frozenset(
            digest for digest in digests if (digest, user_id) in uploads and uploads[digest, user_id] >= since
        )

    async def referring(self, digests: Collection[str]) -> tuple[ProjectScope, ...]:
        """The projects behind any of them."""
        wanted = set(digests)
        found = {project for digest, project, _ in self._references() if digest in wanted}
        return tuple(self._current.state.projects[project].scope for project in found)

    async def referred(
        self, digests: Collection[str], project_ids: Collection[ProjectId] | None
    ) -> frozenset[str]:
        """Those that one of these projects has."""
        wanted = set(digests)
        return frozenset(
            digest
            for digest, project, _ in self._references()
            if digest in wanted and (project_ids is None or project in project_ids)
        )

    async def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """The size of each whose bytes came."""
        rows = self._current.state.blobs
        known = {digest: rows[digest].size for digest in digests if digest in rows}
        return {digest: size for digest, size in known.items() if size is not None}

    async def expiring(self, digests: Collection[str], *, before: datetime) -> frozenset[str]:
        """Those up for review before."""
        return frozenset(digest for digest in digests if self._is_up(digest, before))

    async def postpone(self, digests: Collection[str], *, review_at: datetime) -> None:
        """Has those up for review wait."""
        for digest in digests:
            if self._is_up(digest, review_at):
                self._review(digest, review_at)

    async def release(
        self, project_id: ProjectId, experiment_id: ExperimentId | None = None, *, review_at: datetime
    ) -> None:
        """Has all of an experiment or a project reviewed."""
        for digest, project, experiment in list(self._references()):
            if project == project_id and experiment_id in (None, experiment):
                await self.release_one(digest, review_at=review_at)

    async def release_jobs(self, job_ids: Collection[JobId], *, review_at: datetime) -> None:
        """Has all files of jobs reviewed."""
        for (job_id, _), file in self._current.state.job_files.items():
            if job_id in job_ids:
                await self.release_one(file.digest, review_at=review_at)

    async def release_one(self, digest: str, *, review_at: datetime) -> None:
        """Has one reviewed."""
        row = self._current.state.blobs.get(digest)
        if row is not None and (row.review_at is None or row.review_at < review_at):
            self._review(digest, review_at)

    async def due(self, at: datetime, limit: int) -> tuple[str, ...]:
        """The earliest."""
        rows = self._current.state.blobs.items()
        up = [(row.review_at, digest) for digest, row in rows if row.review_at and row.review_at <= at]
        return tuple(digest for _, digest in sorted(up)[:limit])

    async def keep(self, digests: Collection[str], *, at: datetime, uploaded_before: datetime) -> None:
        """Takes them out of the review."""
        state = self._current.state
        for digest in digests:
            row = state.blobs.get(digest)
            if row is not None and row.review_at is not None and row.review_at <= at:
                self._review(digest, None)
        wanted = set(digests)
        state.uploads = {
            key: when
            for key, when in state.uploads.items()
            if key[0] not in wanted or when >= uploaded_before
        }

    async def forget(self, digests: Collection[str]) -> None:
        """Forgets them."""
        state, gone = self._current.state, set(digests)
        state.blobs = {digest: row for digest, row in state.blobs.items() if digest not in gone}
        state.uploads = {key: at for key, at in state.uploads.items() if key[0] not in gone}

    def _is_up(self, digest: str, before: datetime) -> bool:
        row = self._current.state.blobs.get(digest)
        return row is not None and row.review_at is not None and row.review_at < before

    def _review(self, digest: str, at: datetime | None) -> None:
        rows = self._current.state.blobs
        rows[digest] = rows[digest]._replace(review_at=at)

    def _references(self) -> Iterator[tuple[str, ProjectId, ExperimentId | None]]:
        state = self._current.state
        for artifact in state.artifacts.values():
            yield artifact.digest, artifact.project_id, artifact.experiment_id
        for snapshot in state.snapshots.values():
            for file in snapshot.files:
                yield file.digest, snapshot.project_id, snapshot.experiment_id
        for dataset in state.datasets.values():
            yield dataset.digest, dataset.project_id, None
        for (job_id, _), left in state.job_files.items():
            yield left.digest, state.jobs[job_id].project_id, None


class MemoryBlobStore:
    """Keeps the port :class:`tracker.ports.blobs.BlobStore`; large blobs are large in memory."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    async def put(self, digest: str, chunks: AsyncIterator[bytes]) -> int:
        """Keeps bytes."""
        content = b"".join([chunk async for chunk in chunks])
        if hashlib.sha256(content).hexdigest() != digest:
            raise Conflict(f"the bytes do not hash to {digest}")
        self._blobs[digest] = content
        return len(content)

    async def put_many(self, contents: Mapping[str, bytes]) -> None:
        """Keeps many."""
        require_digests(contents)
        self._blobs.update(contents)

    async def has(self, digests: Collection[str]) -> frozenset[str]:
        """Those that are here."""
        return frozenset(digest for digest in digests if digest in self._blobs)

    async def size(self, digest: str) -> int | None:
        """How many bytes."""
        content = self._blobs.get(digest)
        return None if content is None else len(content)

    async def read(self, digest: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Some of the bytes."""
        if digest not in self._blobs:
            raise NotFound.of("blob", digest)
        content = self._blobs[digest][start:stop]
        for at in range(0, len(content), _PIECE):
            yield content[at : at + _PIECE]

    async def delete(self, digests: Collection[str]) -> None:
        """Removes some."""
        for digest in digests:
            self._blobs.pop(digest, None)

    async def check(self) -> None:
        """Always ready."""

    async def close(self) -> None:
        """Nothing to let go of."""
