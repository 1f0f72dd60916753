"""What a run is to be, as its journal keeps it until the store has its experiment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from tracker.adapters.system.clock import SystemClock
from tracker.areas import AsyncTracker
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.experiments.experiment import PALETTE, Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.projects.project import Project

__all__ = ["AUTO", "RunPlan", "address", "next_step"]

AUTO = "auto"


@dataclass(frozen=True)
class RunPlan:
    """A run before its experiment is made.

    Attributes:
        key: the run's; the store makes one experiment of it, however often it is asked.
        project: name of the project, made when it is not there.
        name: of the experiment; ``None`` = the project's next number.
        parent: id or name of what it derives from.
        fields: the experiment's other fields.
        url: the server it goes to; ``None`` = the data folder itself.
        rank: of this process in a distributed job.
        is_offline: whether nothing is sent before ``tracker sync``.
        resume: id or name of an experiment that goes on, instead of a new one; or ``auto``: the one of this
            key or name, or else the project's newest, unless it is complete.
        step: from which step on it goes on anew.
        is_keyed: whether the key was given from outside, so that an earlier start may have had it.
        is_guest: whether this process only takes part, in a run that another one finishes and carries.
    """

    key: UUID
    project: str
    name: str | None = None
    parent: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    url: str | None = None
    rank: int = 0
    is_offline: bool = False
    resume: str | None = None
    step: int | None = None
    is_keyed: bool = False
    is_guest: bool = False

    def told(self) -> dict[str, Any]:
        """As JSON; :meth:`read` reads it."""
        return {**asdict(self), "key": self.key.hex, "format": 1}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """The plan of :meth:`told`.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        known = {name: told[name] for name in cls.__dataclass_fields__ if name in told}
        return cls(**{**known, "key": UUID(hex=told["key"]), "url": address(told.get("url"))})

    def check(self) -> None:
        """Finds now what the store would refuse, perhaps long after the run has ended.

        Raises:
            Invalid: names the field that breaks a rule.
        """
        now = SystemClock().now()
        try:
            Project(id=ProjectId(self.key), name=self.project, owner_id=UserId(self.key), created_at=now)
        except Invalid as error:
            raise Invalid.field("project", error.problems[0].msg) from error
        fields = {"name": "1_run" if self.name is None else self.name, **self.fields}
        id, home = ExperimentId(self.key), ProjectId(self.key)
        Experiment(id=id, project_id=home, color=PALETTE[0], created_at=now, **fields)

    async def make(self, library: AsyncTracker) -> Experiment:
        """The experiment: a new one, or the one that was made of this run before.

        Raises:
            NotFound: there is no such parent.
            Invalid: a field breaks a rule.
            Unavailable: the store does not answer.
        """
        home = await library.projects.create(self.project, exist_ok=True)
        if self.resume is not None and self.resume != AUTO:
            return await self._resumed(library, await _named(library, home.id, self.resume))
        earlier = None if self.resume is None or self.is_keyed else await self._earlier(library, home.id)
        made = await self._new(library, home.id) if earlier is None else earlier
        if self.resume is None or await _is_new(library, made):
            return made
        return await self._resumed(library, made)

    async def _new(self, library: AsyncTracker, home: ProjectId) -> Experiment:
        """The experiment of this key, made if there is none."""
        above = None if self.parent is None else await _named(library, home, self.parent)
        fields = dict(self.fields) if above is None else {**self.fields, "parent_id": above.id}
        name = _default_name(above) if self.name is None else self.name
        return await library.experiments.create(
            home, name=name, status=Status.RUNNING, run_key=self.key, **fields
        )

    async def _earlier(self, library: AsyncTracker, home: ProjectId) -> Experiment | None:
        """What a start of the same script left, if it did not come to its end."""
        if self.name is not None:
            found: Sequence[Experiment] = await library.experiments.list(home, name=self.name)
        else:
            found = await library.experiments.recent(project_id=home, limit=1)
        newest = max(found, key=lambda each: each.created_at, default=None)
        if newest is None or newest.status is Status.COMPLETE:
            return None
        return None if self.name is None and _beats(newest) else newest

    async def _resumed(self, library: AsyncTracker, experiment: Experiment) -> Experiment:
        if self.rank:  # the first one of a job does it for all
            return experiment
        return await library.experiments.resume(experiment.id, step=self.step)


def address(url: str | None) -> str | None:
    """A server's address in the one form by which journals for it are told from others."""
    return None if url is None else url.rstrip("/")


def _beats(experiment: Experiment) -> bool:
    """Whether it is another run, that goes on: it has said so a short while ago."""
    beat = experiment.heartbeat_at
    if experiment.status is not Status.RUNNING or beat is None:
        return False
    return SystemClock().now() - beat < timedelta(seconds=60)


async def _is_new(library: AsyncTracker, experiment: Experiment) -> bool:
    """Whether it has only just begun, so that nothing of it has to go on."""
    return experiment.status is Status.RUNNING and not await next_step(library, experiment)


async def next_step(library: AsyncTracker, experiment: Experiment) -> int:
    """The step after the last one that has a value; 0 where there is none."""
    rows = await library.scalars.summary(experiment.project_id, [experiment.id])
    return max((row.last_step + 1 for row in rows), default=0)


async def _named(library: AsyncTracker, project_id: ProjectId, text: str) -> Experiment:
    named = await library.experiments.list(project_id, name=text)
    if named:
        return named[0]
    try:
        return await library.experiments.get(ExperimentId(UUID(text)))
    except ValueError as error:
        raise NotFound.of("experiment", text) from error


def _default_name(parent: Experiment | None) -> str:
    """A name that gets the project's next number when it is created."""
    number = None if parent is None else re.match(r"[0-9]{1,9}(?=_|$)", parent.name)
    return "{num}_run" if number is None else f"{{num}}_from_{int(number[0])}_run"
