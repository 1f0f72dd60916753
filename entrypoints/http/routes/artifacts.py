"""Routes of files of experiments."""

from __future__ import annotations

from tracker.domain.identity.policy import Action

from ..api.artifacts import Artifacts, Blobs, Snapshots
from ..media import MSGPACK, OCTETS
from ..route import Route, Scope
from ..schemas.artifacts import (
    ArtifactOut,
    ArtifactPut,
    ArtifactQuery,
    BlobsIn,
    BlobsOut,
    CheckIn,
    CheckOut,
    HashQuery,
    SnapshotCreate,
    SnapshotCreated,
    SnapshotOut,
    UploadedOut,
)
from ..zipping import ZIP

__all__ = ["ARTIFACTS"]

_EXPERIMENT = "/api/experiments/{experiment_id}"
_VIEW, _LOG = Action.ARTIFACTS_VIEW, Action.ARTIFACTS_LOG

ARTIFACTS: tuple[Route, ...] = (
    Route(
        "POST", "/api/blobs/check", Blobs, "check", _LOG, Scope.INSTALLATION,
        "Tells which blobs have to be uploaded", CheckOut, CheckIn,
    ),
    Route(
        "POST", "/api/blobs/upload", Blobs, "upload", _LOG, Scope.INSTALLATION,
        "Keeps the bytes of a blob; durable when it answers", UploadedOut, query=HashQuery, uploads=True,
    ),
    Route(
        "POST", "/api/blobs/bulk", Blobs, "upload_many", _LOG, Scope.INSTALLATION,
        "Keeps the bytes of many small blobs, all or none; durable when it answers", BlobsOut, BlobsIn,
        takes=(MSGPACK,),
    ),
    Route(
        "GET", "/api/blobs/content", Blobs, "content", _VIEW, Scope.BLOB,
        "Gives the bytes of a blob, or some of them", bytes, query=HashQuery, media=OCTETS, ranges=True,
    ),
    Route(
        "GET", f"{_EXPERIMENT}/artifacts", Artifacts, "of_experiment", _VIEW, Scope.EXPERIMENT,
        "Lists an experiment's artifacts by name and step", list[ArtifactOut], query=ArtifactQuery,
    ),
    Route(
        "POST", f"{_EXPERIMENT}/artifacts", Artifacts, "put", _LOG, Scope.EXPERIMENT,
        "Puts a blob under a name; the same name and step again replaces it", ArtifactOut, ArtifactPut,
        status=201,
    ),
    Route(
        "GET", "/api/artifacts/{artifact_id}", Artifacts, "show", _VIEW, Scope.ARTIFACT,
        "Shows an artifact", ArtifactOut,
    ),
    Route(
        "GET", "/api/artifacts/{artifact_id}/content", Artifacts, "content", _VIEW, Scope.ARTIFACT,
        "Gives the bytes of an artifact, or some of them", bytes, media=OCTETS, ranges=True,
    ),
    Route(
        "POST", "/api/snapshots", Snapshots, "take", _LOG, Scope.EXPERIMENT,
        "Keeps which files an experiment ran with", SnapshotCreated, SnapshotCreate, status=201,
    ),
    Route(
        "GET", f"{_EXPERIMENT}/snapshots", Snapshots, "of_experiment", _VIEW, Scope.EXPERIMENT,
        "Lists an experiment's snapshots, oldest first", list[SnapshotOut],
    ),
    Route(
        "GET", "/api/snapshots/{snapshot_id}", Snapshots, "show", _VIEW, Scope.SNAPSHOT,
        "Shows a snapshot", SnapshotOut,
    ),
    Route(
        "GET", "/api/snapshots/{snapshot_id}/download", Snapshots, "download", _VIEW, Scope.SNAPSHOT,
        "Gives the files of a snapshot as a ZIP file", bytes, media=ZIP,
    ),
)  # fmt: skip
