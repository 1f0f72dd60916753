"""What is known of blobs, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from tracker.adapters.sql.artifact_tables import (
    artifacts,
    blob_uploads,
    blobs,
    manifest_blobs,
    manifests,
    snapshots,
)
from tracker.adapters.sql.evaluation_tables import datasets, job_files, jobs
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.parting import in_parts
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.tables import experiments, projects
from tracker.adapters.sql.upserting import insert_into
from tracker.domain.errors import NotFound
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, JobId, ProjectId, UserId

__all__ = ["SqlBlobRepository"]


class _Reference(NamedTuple):
    """One way to refer to a blob."""

    source: sa.FromClause
    digest: sa.Column[Any]
    project: sa.Column[Any]


_OF_ARTIFACTS = _Reference(artifacts.join(experiments), artifacts.c.digest, experiments.c.project_id)
_OF_SNAPSHOTS = _Reference(
    manifest_blobs.join(snapshots, snapshots.c.manifest_id == manifest_blobs.c.manifest_id).join(
        experiments, experiments.c.id == snapshots.c.experiment_id
    ),
    manifest_blobs.c.digest,
    experiments.c.project_id,
)
_OF_DATASETS = _Reference(datasets, datasets.c.digest, datasets.c.project_id)
_OF_JOBS = _Reference(job_files.join(jobs), job_files.c.digest, jobs.c.project_id)
_OF_RUNS = (_OF_ARTIFACTS, _OF_SNAPSHOTS)
_REFERENCES = (*_OF_RUNS, _OF_DATASETS, _OF_JOBS)


class SqlBlobRepository:
    """Keeps the port :class:`tracker.ports.artifacts.BlobRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        insert = insert_into(blobs, session.dialect)
        self._reserve = insert.on_conflict_do_update(
            index_elements=[blobs.c.digest],
            set_={"review_at": insert.excluded.review_at},
            where=blobs.c.review_at < insert.excluded.review_at,  # not where it is NULL
        )
        upload = insert_into(blob_uploads, session.dialect)
        self._known = (
            sa.update(blobs).where(blobs.c.digest == sa.bindparam("key")).values(size=sa.bindparam("size"))
        )
        self._note = upload.on_conflict_do_update(
            index_elements=[blob_uploads.c.digest, blob_uploads.c.user_id],
            set_={"at": upload.excluded["at"]},
        )

    async def reserve(self, digests: Collection[str], *, review_at: datetime) -> None:
        """Notes that some are coming."""
        if digests:
            rows = [{"digest": digest, "review_at": review_at} for digest in sorted(digests)]
            await self._session.run(self._reserve, rows)

    async def note_uploads(self, sizes: Mapping[str, int], user_id: UserId, at: datetime) -> None:
        """Notes that some have come."""
        if not sizes:
            return
        digests = sorted(sizes)  # in one order, so that two who upload the same do not wait for each other
        await self._session.run(self._known, [{"key": key, "size": sizes[key]} for key in digests])
        # Not every driver tells how many rows a statement changed that was run for many.
        unknown = sizes.keys() - await self.sizes(digests)
        if unknown:
            raise NotFound.of("blob", min(unknown))
        with inserting("blob", digests[0]):
            await self._session.run(
                self._note, [{"digest": digest, "user_id": user_id, "at": at} for digest in digests]
            )

    async def uploaded(self, digests: Collection[str], user_id: UserId, since: datetime) -> frozenset[str]:
        """Those that a user put lately."""
        asked = sa.select(blob_uploads.c.digest).where(
            blob_uploads.c.user_id == user_id, blob_uploads.c.at >= since
        )
        return await self._digests(asked, blob_uploads.c.digest, digests)

    async def referring(self, digests: Collection[str]) -> tuple[ProjectScope, ...]:
        """The projects behind any of them."""
        found: dict[ProjectId, ProjectScope] = {}
        for some in in_parts(sorted(digests)):
            using = sa.union(
                *(
                    sa.select(each.project).select_from(each.source).where(each.digest.in_(some))
                    for each in _REFERENCES
                )
            )
            statement = sa.select(projects.c.id, projects.c.owner_id, projects.c.team_id)
            for row in await self._session.rows(statement.where(projects.c.id.in_(using))):
                found[row.id] = ProjectScope(project_id=row.id, owner_id=row.owner_id, team_id=row.team_id)
        return tuple(found.values())

    async def referred(
        self, digests: Collection[str], project_ids: Collection[ProjectId] | None
    ) -> frozenset[str]:
        """Those that one of these projects has."""
        found: set[str] = set()
        for each in _REFERENCES:
            asked = sa.select(each.digest).select_from(each.source)
            if project_ids is None:
                found |= await self._digests(asked, each.digest, digests)
                continue
            for some in in_parts(project_ids):
                found |= await self._digests(asked.where(each.project.in_(some)), each.digest, digests)
        return frozenset(found)

    async def sizes(self, digests: Collection[str]) -> Mapping[str, int]:
        """The size of each whose bytes came."""
        found: dict[str, int] = {}
        for some in in_parts(sorted(digests)):
            statement = sa.select(blobs).where(blobs.c.digest.in_(some), blobs.c.size.is_not(None))
            found |= {row.digest: row.size for row in await self._session.rows(statement)}
        return found

    async def expiring(self, digests: Collection[str], *, before: datetime) -> frozenset[str]:
        """Those up for review before."""
        asked = sa.select(blobs.c.digest).where(blobs.c.review_at < before)
        return await self._digests(asked, blobs.c.digest, digests)

    async def postpone(self, digests: Collection[str], *, review_at: datetime) -> None:
        """Has those up for review wait."""
        for some in in_parts(sorted(digests)):
            early = blobs.c.digest.in_(some) & (blobs.c.review_at < review_at)
            await self._session.run(sa.update(blobs).where(early).values(review_at=review_at))

    async def release(
        self, project_id: ProjectId, experiment_id: ExperimentId | None = None, *, review_at: datetime
    ) -> None:
        """Has all of an experiment or a project reviewed."""
        kinds = _REFERENCES if experiment_id is None else _OF_RUNS
        used = (
            sa.select(each.digest)
            .select_from(each.source)
            .where(each.project == project_id if experiment_id is None else experiments.c.id == experiment_id)
            for each in kinds
        )
        await self._session.run(_reviewed(blobs.c.digest.in_(sa.union(*used)), review_at))

    async def release_jobs(self, job_ids: Collection[JobId], *, review_at: datetime) -> None:
        """Has all files of jobs reviewed."""
        for some in in_parts(job_ids):
            left = sa.select(job_files.c.digest).where(job_files.c.job_id.in_(some))
            await self._session.run(_reviewed(blobs.c.digest.in_(left), review_at))

    async def release_one(self, digest: str, *, review_at: datetime) -> None:
        """Has one reviewed."""
        await self._session.run(_reviewed(blobs.c.digest == digest, review_at))

    async def due(self, at: datetime, limit: int) -> tuple[str, ...]:
        """The earliest."""
        statement = (
            sa.select(blobs.c.digest)
            .where(blobs.c.review_at <= at)
            .order_by(blobs.c.review_at, blobs.c.digest)
            .limit(limit)
        )
        return tuple(row.digest for row in await self._session.rows(statement))

    async def keep(self, digests: Collection[str], *, at: datetime, uploaded_before: datetime) -> None:
        """Takes them out of the review."""
        for some in in_parts(sorted(digests)):
            # Asked again: a deletion that is under way may have put the review off meanwhile.
            still = blobs.c.digest.in_(some) & (blobs.c.review_at <= at)
            await self._session.run(sa.update(blobs).where(still).values(review_at=None))
            old = blob_uploads.c.digest.in_(some) & (blob_uploads.c.at < uploaded_before)
            await self._session.run(sa.delete(blob_uploads).where(old))

    async def forget(self, digests: Collection[str]) -> None:
        """Forgets them, and trees without a snapshot."""
        for some in in_parts(sorted(digests)):
            await self._session.run(sa.delete(blobs).where(blobs.c.digest.in_(some)))
        shown = sa.exists().where(snapshots.c.manifest_id == manifests.c.id)
        await self._session.run(sa.delete(manifests).where(~shown))

    async def _digests(
        self, asked: sa.Select[Any], column: sa.Column[Any], digests: Collection[str]
    ) -> frozenset[str]:
        found: set[str] = set()
        for some in in_parts(sorted(digests)):
            rows = await self._session.rows(asked.where(column.in_(some)).distinct())
            found.update(row.digest for row in rows)
        return frozenset(found)


def _reviewed(which: sa.ColumnElement[bool], review_at: datetime) -> sa.Update:
    not_later = blobs.c.review_at.is_(None) | (blobs.c.review_at < review_at)
    return sa.update(blobs).where(which, not_later).values(review_at=review_at)
