"""How new experiments get their names, parents, places and colours: a part of creating them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tracker.domain.errors import Invalid, Problem
from tracker.domain.experiments.experiment import Experiment, color_at
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.experiments.lineage import check_parents
from tracker.domain.experiments.names import reading
from tracker.domain.identity.actor import Actor
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.naming import Family, part_of_name, read_name, wants_number
from tracker.domain.projects.project import Project
from tracker.ports.clock import Clock
from tracker.ports.ids import IdGenerator
from tracker.ports.unit_of_work import ReadingUnit, WritingUnit

__all__ = ["EDITABLE", "Draft", "Drafting", "Warn", "ignored", "located", "require_here"]

Draft = Mapping[str, Any]
"""Fields of a new experiment: ``name``, and any other that a person sets."""

Warn = Callable[[ExperimentId, str], object]
"""Told of what was odd about an experiment, though no error."""

EDITABLE = frozenset(Experiment.model_fields) - {
    "id", "project_id", "created_at", "created_by", "started_at", "completed_at", "heartbeat_at", "run_key",
    "version",
}  # fmt: skip

_ONLY_NEW = frozenset({"run_key", "started_at", "completed_at"})
"""Fields that a person sets on a new experiment, and nobody later."""


def ignored(experiment_id: ExperimentId, text: str) -> None:
    """Takes a warning that nobody wants."""


class Drafting:
    """Makes experiments of drafts within one unit of work, whose reads see none of them yet.

    Args:
        unit: which keeps others from adding to the project meanwhile.
        project: theirs.
        actor: who adds them.
        clock: tells when.
        ids: names them.
    """

    def __init__(
        self, unit: WritingUnit, project: Project, actor: Actor, clock: Clock, ids: IdGenerator
    ) -> None:
        self._unit = unit
        self._project = project
        self._actor = actor
        self._now = clock.now()
        self._ids = ids

    async def made(
        self, drafts: Sequence[Draft], *, warn: Warn, within: str | None = None
    ) -> tuple[Experiment, ...]:
        """The experiments, checked but not yet kept.

        Args:
            drafts: in the order in which they come into being; each may name earlier ones as its parent.
            warn: told of names whose parent is not there.
            within: the field that holds them, for errors; ``None`` = there is but one, and no such field.

        Raises:
            Invalid: a field breaks a rule, or a parent is not one of the project's experiments.
        """
        if any(_gets_place(draft) or _gets_number(draft) for draft in drafts):
            await self._unit.lock(f"order:{self._project.id}")
        following = await self._unit.experiments.next_position(self._project.id)
        family = await self._family(drafts)
        experiments = []
        for index, draft in enumerate(drafts):
            with located(within, index):
                if within is not None and draft.get("run_key") is not None:
                    raise Invalid.field("run_key", "names a run that is created by itself, not with others")
                experiment, warnings = self._experiment(draft, family, following + index)
            for text in warnings:
                warn(experiment.id, text)
            family.add(experiment.id, experiment.name)
            experiments.append(experiment)
        await self._check_parents(experiments, within)
        return tuple(experiments)

    async def _family(self, drafts: Sequence[Draft]) -> Family:
        """Those whom the names can mean: of one name that asks for no number, only a few."""
        patterns = self._project.settings.naming_patterns
        referring = [draft for draft in drafts if draft.get("parent_id") is None]
        matches = [read_name(patterns, str(draft.get("name"))) for draft in referring]
        wanted = [match.fields["parent"] for match in matches if match and "parent" in match.fields]
        if any(map(_gets_number, drafts)) or len(wanted) > 1:
            return Family(patterns, await self._unit.experiments.names(self._project.id))
        if not wanted:
            return Family(patterns)
        part = part_of_name(wanted[0])
        return Family(patterns, await self._unit.experiments.names(self._project.id, containing=part))

    def _experiment(self, draft: Draft, family: Family, position: int) -> tuple[Experiment, tuple[str, ...]]:
        fields = dict(draft)
        for field in fields.keys() - EDITABLE - _ONLY_NEW:
            raise Invalid.field(field, "is not a field of an experiment")
        status = fields.pop("status", Status.PLANNED)
        ending = {name: fields.pop(name) for name in ("end_kind", "end_reason") if name in fields}
        times = {name: fields.pop(name) for name in ("started_at", "completed_at") if name in fields}
        warnings: tuple[str, ...] = ()
        if isinstance(fields.get("name"), str) and _is_read(fields):
            read = reading(self._project.settings.naming_patterns, family, fields["name"])
            fields["name"] = read.name
            if fields.get("parent_id") is None:
                fields["parent_id"], warnings = read.parent_id, read.warnings
        if fields.get("position") is None:
            fields["position"] = position
        if fields.get("color") is None:
            fields["color"] = color_at(position)
        experiment = Experiment(
            id=ExperimentId(self._ids.new()), project_id=self._project.id, created_at=self._now,
            created_by=self._actor.user_id, **fields,
        ).become(status, at=self._now).told(**ending).dated(**times)  # fmt: skip
        check_parents(experiment.id, experiment.parent_id, experiment.merged_from)
        return experiment, warnings

    async def _check_parents(self, experiments: Sequence[Experiment], within: str | None) -> None:
        """One look for all parents that are not among the new ones themselves."""
        new = {experiment.id for experiment in experiments}
        wanted = {parent for experiment in experiments for parent in experiment.parents} - new
        found = await self._unit.experiments.get_many(wanted) if wanted else {}
        here = {key for key, parent in found.items() if parent.project_id == self._project.id} | new
        for index, experiment in enumerate(experiments):
            with located(within, index):
                _require_known(experiment, experiment.parents, here)


async def require_here(unit: ReadingUnit, experiment: Experiment, parents: Sequence[ExperimentId]) -> None:
    """Lets pass parents of an experiment that are in its project.

    Raises:
        Invalid: one is elsewhere, which is answered as if it was nowhere: that it exists is nobody's
            business here.
    """
    found = await unit.experiments.get_many(parents)
    here = {key for key, parent in found.items() if parent.project_id == experiment.project_id}
    _require_known(experiment, parents, here)


def _require_known(experiment: Experiment, parents: Sequence[ExperimentId], here: set[ExperimentId]) -> None:
    for parent in parents:
        if parent not in here:
            field = "parent_id" if parent == experiment.parent_id else "merged_from"
            raise Invalid.field(field, f"experiment {parent} is not in this project", "parent")


@contextmanager
def located(within: str | None, index: int) -> Iterator[None]:
    """Tells of an error in which of many things it is."""
    try:
        yield
    except Invalid as error:
        if within is None:
            raise
        problems = [Problem((within, index, *each.loc), each.msg, each.type) for each in error.problems]
        raise Invalid(f"{within}.{index}.{error.detail}", problems) from error


def _gets_place(draft: Draft) -> bool:
    return draft.get("position") is None or draft.get("color") is None


def _gets_number(draft: Draft) -> bool:
    name = draft.get("name")
    return isinstance(name, str) and wants_number(name)


def _is_read(fields: Draft) -> bool:
    """Whether the name has something to say: a parent that is not given, or a place for a number."""
    return fields.get("parent_id") is None or _gets_number(fields)
