"""Use cases of artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.domain.artifacts.artifact import OCTETS, Artifact
from tracker.domain.artifacts.blobs.service import Blob, opened, require_blobs
from tracker.domain.experiments.service import visible_experiment
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, require
from tracker.domain.ids import ArtifactId, ExperimentId
from tracker.domain.json_tree import EMPTY
from tracker.domain.projects.purge import GRACE
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork

__all__ = ["ArtifactService"]


class ArtifactService:
    """Puts files to experiments and gives them back.

    Args:
        units: opens units of work.
        store: of their bytes.
        clock: tells when things happen.
        ids: names new things.
    """

    def __init__(self, units: UnitsOfWork, store: BlobStore, clock: Clock, ids: IdGenerator) -> None:
        self._units = units
        self._store = store
        self._clock = clock
        self._ids = ids

    async def put(
        self,
        actor: Actor,
        experiment_id: ExperimentId,
        name: str,
        *,
        digest: str,
        size: int,
        kind: str = "file",
        media_type: str = OCTETS,
        step: int | None = None,
        metadata: Mapping[str, Any] = EMPTY,
    ) -> Artifact:
        """Puts a blob that was uploaded under a name; the same name, step and digest again changes nothing,
        and the same name and step with another digest replaces it.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
            Forbidden: they may not log artifacts to it.
            Invalid: a field breaks a rule.
            Conflict: the blob was not uploaded, or has another size.
        """
        async with self._units.writing() as unit:
            experiment = await visible_experiment(unit, actor, experiment_id, Action.ARTIFACTS_LOG)
            artifact = Artifact(
                id=ArtifactId(self._ids.new()),
                project_id=experiment.project_id,
                experiment_id=experiment_id,
                name=name,
                kind=kind,
                media_type=media_type,
                digest=digest,
                size=size,
                step=step,
                metadata=metadata,
                created_at=self._clock.now(),
                created_by=actor.user_id,
            )
            present = await unit.artifacts.find(experiment_id, name, step)
            if present is not None and present.digest == digest:
                return present
            await require_blobs(unit, actor, {digest: size}, self._clock)
            if present is not None:
                await unit.blobs.release_one(present.digest, review_at=self._clock.now() + GRACE)
            kept = await unit.artifacts.put(artifact)
            await unit.commit()
        return kept

    async def of_experiment(
        self, actor: Actor, experiment_id: ExperimentId, *, kind: str | None = None, name: str | None = None
    ) -> tuple[Artifact, ...]:
        """An experiment's by name and step, or those of this kind and exact name.

        Raises:
            NotFound: there is no such experiment that `actor` may see.
        """
        async with self._units.reading() as unit:
            await visible_experiment(unit, actor, experiment_id, Action.ARTIFACTS_VIEW)
            return await unit.artifacts.of_experiment(experiment_id, kind=kind, name=name)

    async def get(self, actor: Actor, artifact_id: ArtifactId) -> Artifact:
        """One artifact.

        Raises:
            NotFound: there is none that `actor` may see.
        """
        async with self._units.reading() as unit:
            return await _visible_artifact(unit, actor, artifact_id)

    async def open(self, actor: Actor, artifact_id: ArtifactId) -> tuple[Artifact, Blob]:
        """One artifact and its bytes.

        Raises:
            NotFound: there is none that `actor` may see.
            Unavailable: the store lost its bytes.
        """
        artifact = await self.get(actor, artifact_id)
        return artifact, await opened(self._store, artifact.digest)


async def _visible_artifact(unit: ReadingUnit, actor: Actor, artifact_id: ArtifactId) -> Artifact:
    artifact = await unit.artifacts.get(artifact_id)
    _, scope = await unit.experiments.with_scope(artifact.experiment_id, asker=actor.user_id)
    require(actor, Action.ARTIFACTS_VIEW, scope, kind="artifact", key=artifact_id)
    return artifact
