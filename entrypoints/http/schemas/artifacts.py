"""Blobs, artifacts and snapshots on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, RootModel, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from tracker.domain.artifacts.artifact import MEDIA_TYPE_PATTERN, OCTETS, Artifact
from tracker.domain.artifacts.digest import DIGEST_PATTERN, MOST_AT_ONCE
from tracker.domain.artifacts.paths import LONGEST_NAME, LONGEST_PATH, safe
from tracker.domain.artifacts.snapshot import EXECUTABLE, MOST_FILES, PLAIN, Snapshot, SnapshotFile
from tracker.domain.json_tree import thaw

from .wire import NO_NUL, WHOLE, Bounded64, CamelBody, Closed, Json, LabelText, NameText, absent

__all__ = [
    "ArtifactOut", "ArtifactPut", "ArtifactQuery", "BlobsIn", "BlobsOut", "CheckIn", "CheckOut", "HashQuery",
    "SnapshotCreate", "SnapshotCreated", "SnapshotOut", "UploadedOut", "artifact_out", "snapshot_out",
]  # fmt: skip

HashText = Annotated[str, Field(strict=True, pattern=DIGEST_PATTERN, description="SHA-256, lower-case hex")]
SizeNumber = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1), WHOLE]
_IN_FOLDER: Json = {"format": "relative-path"}
ContentBytes = Annotated[bytes, Field(strict=True)]
BlobIn = tuple[HashText, ContentBytes]
ArtifactNameText = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=LONGEST_NAME, json_schema_extra=_IN_FOLDER),
    AfterValidator(safe),
]
PathText = Annotated[
    str,
    Field(strict=True, min_length=1, max_length=LONGEST_PATH, json_schema_extra=_IN_FOLDER),
    AfterValidator(safe),
]
MediaTypeText = Annotated[str, Field(strict=True, max_length=255, pattern=MEDIA_TYPE_PATTERN)]


class CheckIn(RootModel[Annotated[list[HashText], Field(max_length=MOST_FILES)]]):
    """The hashes of blobs that one wants to refer to."""


class CheckOut(TypedDict):
    """Those that have to be uploaded."""

    missing: list[str]


class HashQuery(Closed):
    """Which blob."""

    hash: HashText


class UploadedOut(TypedDict):
    """A blob that is there now."""

    hash: str
    size: int


class BlobsIn(RootModel[Annotated[list[BlobIn], Field(max_length=MOST_AT_ONCE)]]):
    """Small blobs, each ``[hash, bytes]``; kept together or not at all."""


class BlobsOut(TypedDict):
    """All of them are there now."""

    blobs: int
    size: int


class ArtifactPut(CamelBody):
    """A blob under a name; the same name, step and hash again changes nothing."""

    name: ArtifactNameText
    digest: HashText = Field(alias="hash")
    size: SizeNumber
    kind: LabelText = "file"
    media_type: MediaTypeText = OCTETS
    step: Bounded64 | None = None
    metadata: Json = Field(default_factory=dict)


class ArtifactQuery(Closed):
    """Which artifacts of an experiment."""

    kind: LabelText | None = None
    name: Annotated[str, Field(max_length=LONGEST_NAME, json_schema_extra=NO_NUL)] | None = None


class ArtifactOut(TypedDict):
    """A file of an experiment."""

    id: UUID
    projectId: UUID
    experimentId: UUID
    name: str
    kind: str
    mediaType: str
    hash: str
    size: int
    step: int | None
    metadata: Json
    createdAt: datetime
    createdBy: UUID | None


class FileIn(Closed):
    """One file of a snapshot; of a symbolic link, the blob is its target."""

    path: PathText
    hash: HashText
    size: SizeNumber
    mode: Literal["644", "755"] = "644"
    link: Annotated[bool, Field(strict=True)] = False


def _one_of(schema: Json) -> None:
    schema["anyOf"] = [{"required": ["experiment_name"]}, {"required": ["experiment_id"]}]
    for field in schema["properties"].values():
        if field.get("default", 0) is None:
            del field["default"]


class SnapshotCreate(Closed):
    """The files an experiment ran with, their blobs uploaded before.

    The experiment is the one of `experiment_id`, or else the newest visible one called `experiment_name`.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_one_of)

    experiment_name: NameText = absent()
    experiment_id: UUID = absent()
    files: Annotated[list[FileIn], Field(max_length=MOST_FILES)]
    environment: Json = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_an_experiment(self) -> Self:
        if not {"experiment_name", "experiment_id"} & self.model_fields_set:
            raise PydanticCustomError("missing", "experiment_name or experiment_id must be given")
        return self

    def snapshot_files(self) -> tuple[SnapshotFile, ...]:
        """The files in the domain's words."""
        return tuple(
            SnapshotFile(
                path=file.path,
                digest=file.hash,
                size=file.size,
                mode=EXECUTABLE if file.mode == "755" else PLAIN,
                link=file.link,
            )
            for file in self.files
        )


class SnapshotCreated(TypedDict):
    """It was taken."""

    snapshot_id: UUID


class FileOut(TypedDict):
    """One file of a snapshot."""

    path: str
    hash: str
    size: int
    mode: Literal["644", "755"]
    link: bool


class SnapshotOut(TypedDict):
    """The files an experiment ran with."""

    id: UUID
    projectId: UUID
    experimentId: UUID
    files: list[FileOut]
    environment: Json
    size: int
    createdAt: datetime
    createdBy: UUID | None


def artifact_out(artifact: Artifact) -> ArtifactOut:
    """An artifact as the API shows it."""
    return {
        "id": artifact.id,
        "projectId": artifact.project_id,
        "experimentId": artifact.experiment_id,
        "name": artifact.name,
        "kind": artifact.kind,
        "mediaType": artifact.media_type,
        "hash": artifact.digest,
        "size": artifact.size,
        "step": artifact.step,
        "metadata": thaw(artifact.metadata),
        "createdAt": artifact.created_at,
        "createdBy": artifact.created_by,
    }


def snapshot_out(snapshot: Snapshot) -> SnapshotOut:
    """A snapshot as the API shows it."""
    environment: Any = thaw(snapshot.environment)
    return {
        "id": snapshot.id,
        "projectId": snapshot.project_id,
        "experimentId": snapshot.experiment_id,
        "files": [
            {
                "path": file.path,
                "hash": file.digest,
                "size": file.size,
                "mode": "755" if file.mode == EXECUTABLE else "644",
                "link": file.link,
            }
            for file in snapshot.files
        ],
        "environment": environment,
        "size": snapshot.size,
        "createdAt": snapshot.created_at,
        "createdBy": snapshot.created_by,
    }
