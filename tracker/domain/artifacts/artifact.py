"""A file of an experiment."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from tracker.domain.artifacts.digest import Digest, Size
from tracker.domain.artifacts.paths import ArtifactName
from tracker.domain.frozen import Frozen
from tracker.domain.ids import ArtifactId, ExperimentId, ProjectId, UserId
from tracker.domain.json_tree import EMPTY, JsonObject
from tracker.domain.numbers import Step
from tracker.domain.text import Label

__all__ = ["MEDIA_TYPE_PATTERN", "OCTETS", "Artifact", "MediaType"]

OCTETS = "application/octet-stream"
"""Of bytes of which nothing is known."""

MEDIA_TYPE_PATTERN = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( ?; ?[ !#-~]+)?$"
"""RFC 6838, section 4.2, and parameters behind it."""

MediaType = Annotated[str, StringConstraints(max_length=255, pattern=MEDIA_TYPE_PATTERN)]


class Artifact(Frozen):
    """A blob under a name; the same experiment, name and step again replaces which blob.

    Attributes:
        name: a relative path with slashes.
        kind: what it is in the words of the field: file, folder, image, audio, text, table, histogram,
            code, environment, console.
        digest: of its bytes.
        size: of them.
        step: at which it was made, if at any.
        metadata: what whoever shows it should know, such as a caption or a sample rate.
        created_by: who put it there; ``None`` when nobody knows any more.
    """

    id: ArtifactId
    project_id: ProjectId
    experiment_id: ExperimentId
    name: ArtifactName
    kind: Label = "file"
    media_type: MediaType = OCTETS
    digest: Digest
    size: Size
    step: Step | None = None
    metadata: JsonObject = Field(default_factory=lambda: EMPTY)
    created_at: AwareDatetime
    created_by: UserId | None = None

    @property
    def key(self) -> tuple[ExperimentId, str, int | None]:
        """What makes two artifacts the same one."""
        return (self.experiment_id, self.name, self.step)

    @property
    def order(self) -> tuple[str, bool, int]:
        """By which an experiment's are listed: by name, and by step behind the one without any."""
        return (self.name, self.step is not None, self.step or 0)
