"""Files of experiments between the wire and the domain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.artifacts.snapshot import EXECUTABLE, PLAIN, Snapshot, SnapshotFile
from tracker.domain.ids import ArtifactId, ExperimentId, ProjectId, SnapshotId, UserId

__all__ = ["artifact_from", "body_of_file", "snapshot_from"]

Json = Mapping[str, Any]


def artifact_from(found: Json) -> Artifact:
    """An artifact."""
    return Artifact(
        id=ArtifactId(UUID(found["id"])),
        project_id=ProjectId(UUID(found["projectId"])),
        experiment_id=ExperimentId(UUID(found["experimentId"])),
        name=found["name"],
        kind=found["kind"],
        media_type=found["mediaType"],
        digest=found["hash"],
        size=found["size"],
        step=found["step"],
        metadata=found["metadata"],
        created_at=datetime.fromisoformat(found["createdAt"]),
        created_by=_user(found["createdBy"]),
    )


def snapshot_from(found: Json) -> Snapshot:
    """A snapshot."""
    return Snapshot(
        id=SnapshotId(UUID(found["id"])),
        project_id=ProjectId(UUID(found["projectId"])),
        experiment_id=ExperimentId(UUID(found["experimentId"])),
        files=tuple(
            SnapshotFile(
                path=file["path"],
                digest=file["hash"],
                size=file["size"],
                mode=EXECUTABLE if file["mode"] == "755" else PLAIN,
                link=file["link"],
            )
            for file in found["files"]
        ),
        environment=found["environment"],
        created_at=datetime.fromisoformat(found["createdAt"]),
        created_by=_user(found["createdBy"]),
    )


def body_of_file(file: SnapshotFile) -> dict[str, Any]:
    """A file of a snapshot under the API's names."""
    return {
        "path": file.path,
        "hash": file.digest,
        "size": file.size,
        "mode": "755" if file.mode == EXECUTABLE else "644",
        "link": file.link,
    }


def _user(text: str | None) -> UserId | None:
    return None if text is None else UserId(UUID(text))
