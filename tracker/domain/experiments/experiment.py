"""One experiment: a run, planned or made, and everything said about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints
from pydantic_core import PydanticCustomError

from tracker.domain.errors import Conflict
from tracker.domain.experiments.ending import EndKind, EndReason
from tracker.domain.experiments.lifecycle import Status, check_transition
from tracker.domain.frozen import Frozen
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.json_tree import EMPTY, FlatParams, JsonObject, same
from tracker.domain.text import Description, Name, Tag, storable

__all__ = ["PALETTE", "Experiment", "color_at"]

# Okabe & Ito, "Color Universal Design" (2008): distinct for every common kind of colour blindness.
# Black and the pale yellow are left out, since one of them vanishes on any background.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7")


def color_at(position: int) -> str:
    """The palette's colour for the experiment at `position` of its project."""
    return PALETTE[position % len(PALETTE)]


def _distinct(tags: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(tags)) != len(tags):
        raise PydanticCustomError("tags_unique", "the same tag stands twice")
    return tags


def _by_id(ids: tuple[ExperimentId, ...]) -> tuple[ExperimentId, ...]:
    if len(set(ids)) != len(ids):
        raise PydanticCustomError("merged_from_unique", "the same experiment stands twice")
    return tuple(sorted(ids))


Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
MergedFrom = Annotated[tuple[ExperimentId, ...], Field(max_length=1000), AfterValidator(_by_id)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=100), AfterValidator(_distinct)]
GitDiff = Annotated[str, StringConstraints(max_length=4_000_000), AfterValidator(storable)]
Position = Annotated[int, Field(ge=0, lt=2**31)]
Progress = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=False)]


class Experiment(Frozen):
    """A run and its place in the family.

    Attributes:
        parent_id: the experiment it was derived from, in the same project.
        merged_from: further experiments of the project that went into it, by id.
        features: what it is made of, as a JSON tree.
        params: typed flat parameters under dotted names.
        git_diff: uncommitted changes of the code that ran.
        position: place in its project's list, 0 first (the API calls it ``order``).
        progress: per cent done.
        created_by: who made it; ``None`` when nobody knows any more.
        started_at: when it first became running.
        completed_at: when it last became complete or failed; ``None`` while it has not ended.
        end_kind: what made it fail, where that is known; ``None`` for all that has not failed.
        end_reason: the same in words.
        heartbeat_at: when its process last said that it lives; ``None`` = it has not said so since it
            last began to run, and so is never taken for lost.
        run_key: names the run before it has an id, so that creating it twice makes one experiment.
        version: counts the saves; a save of an older one is refused.
    """

    id: ExperimentId
    project_id: ProjectId
    name: Name
    description: Description = ""
    status: Status = Status.PLANNED
    parent_id: ExperimentId | None = None
    merged_from: MergedFrom = ()
    features: JsonObject = Field(default_factory=lambda: EMPTY)
    params: FlatParams = Field(default_factory=lambda: EMPTY)
    git_diff: GitDiff | None = None
    color: Color
    position: Position = 0
    tags: Tags = ()
    progress: Progress = 0.0
    created_at: AwareDatetime
    created_by: UserId | None = None
    started_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    end_kind: EndKind | None = None
    end_reason: EndReason | None = None
    heartbeat_at: AwareDatetime | None = None
    run_key: UUID | None = None
    version: int = 0

    @property
    def parents(self) -> tuple[ExperimentId, ...]:
        """All it derives from, the primary parent first."""
        return self.merged_from if self.parent_id is None else (self.parent_id, *self.merged_from)

    def edited(self, *, at: datetime, status: Status | None = None, **changes: Any) -> Self:
        """The experiment after `changes` to its fields and a move to `status` at the time `at`.

        A further parent that becomes the primary one is no longer merged.

        Raises:
            Invalid: a change breaks a rule.
            InvalidTransition: the life cycle has no such move.
            Conflict: parameters would change although the run has ended: they say what was run; or it
                would tell what made it fail, and has not failed.
        """
        if "merged_from" not in changes and changes.get("parent_id") in self.merged_from:
            changes["merged_from"] = tuple(set(self.merged_from) - {changes["parent_id"]})
        ending = {name: changes.pop(name) for name in ("end_kind", "end_reason") if name in changes}
        changed = self.evolve(**changes)
        if self.status.has_ended and not same(self.params, changed.params):
            raise Conflict(
                f"params: experiment {self.id} is {self.status} and keeps the parameters it ran with; "
                "to change them, resume it first by setting its status to running"
            )
        moved = changed if status is None else changed.become(status, at=at)
        return moved.told(**ending)

    def told(self, **ending: Any) -> Self:
        """The experiment with ``end_kind`` and ``end_reason`` as given.

        Raises:
            Invalid: one breaks a rule.
            Conflict: one is given, and the experiment has not failed.
        """
        if self.status is not Status.FAILED and any(value is not None for value in ending.values()):
            field = next(name for name, value in ending.items() if value is not None)
            raise Conflict(
                f"{field}: only a run that failed tells how it ended, and experiment {self.id} is "
                f"{self.status}; set its status to failed with it"
            )
        return self.evolve(**ending) if ending else self

    def dated(self, *, started_at: datetime | None = None, completed_at: datetime | None = None) -> Self:
        """The experiment with the times of a run that was made elsewhere, as far as they are given.

        Raises:
            Conflict: it has not started or not ended, or would end before it started.
        """
        if started_at is not None and self.status is Status.PLANNED:
            raise Conflict("started_at: a planned experiment has not started; give the status that it has")
        if completed_at is not None and not self.status.has_ended:
            raise Conflict(f"completed_at: an experiment that is {self.status} has not ended")
        begin, end = started_at or self.started_at, completed_at or self.completed_at
        if begin is not None and end is not None and end < begin:
            raise Conflict("completed_at: an experiment cannot end before it started")
        return self.evolve(started_at=begin, completed_at=end)

    def become(self, status: Status, *, at: datetime) -> Self:
        """The experiment after it moved to `status` at the time `at`.

        What made it fail is forgotten, and so is the heartbeat of a run that begins again.

        Raises:
            InvalidTransition: the life cycle has no such move.
        """
        check_transition(self.status, status)
        if status == self.status:
            return self
        return self.evolve(
            status=status,
            started_at=self.started_at or (at if status is Status.RUNNING else None),
            completed_at=at if status.has_ended else None,
            end_kind=None,
            end_reason=None,
            heartbeat_at=None if status is Status.RUNNING else self.heartbeat_at,
        )

    def start(self, *, at: datetime) -> Self:
        """It begins to run."""
        return self.become(Status.RUNNING, at=at)

    def resume(self, *, at: datetime) -> Self:
        """It runs once more, perhaps in another process than the one it was last heard of from."""
        return self.become(Status.RUNNING, at=at).evolve(heartbeat_at=None)

    def complete(self, *, at: datetime) -> Self:
        """It ended well."""
        return self.become(Status.COMPLETE, at=at)

    def fail(self, *, at: datetime, kind: EndKind | None = None, reason: str | None = None) -> Self:
        """It ended badly, for a reason if one is known."""
        return self.become(Status.FAILED, at=at).told(end_kind=kind, end_reason=reason)

    def beat(self, *, at: datetime) -> Self:
        """Its process lives. One that was taken for lost runs again; what ended otherwise stays ended."""
        if self.status is Status.FAILED and self.end_kind is EndKind.LOST:
            return self.become(Status.RUNNING, at=at).evolve(heartbeat_at=at)
        return self.evolve(heartbeat_at=at) if self.status is Status.RUNNING else self

    def lost(self, *, at: datetime) -> Self:
        """Nothing was heard of its process for too long; one that does not run stays as it is."""
        if self.status is not Status.RUNNING:
            return self
        since = "" if self.heartbeat_at is None else f" since {self.heartbeat_at.astimezone(UTC):%F %T} UTC"
        return self.fail(at=at, kind=EndKind.LOST, reason=f"no heartbeat{since}")
