"""Brings an export into a library: the project around what every importer writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tracker.domain.errors import Conflict
from tracker.domain.hypotheses.hypothesis import BaselineRule, HypothesisStatus, Target
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.projects.project import (
    Aggregation,
    Direction,
    MetricDefinition,
    Project,
    ProjectSettings,
)
from tracker.importers.experiments import run_key
from tracker.importers.records import LeftOut
from tracker.importers.report import Report
from tracker.importers.tracker_folder.source import TrackerFolder
from tracker.importers.writing import Writer

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["import_folder"]

Advance = Callable[[int], object]


def import_folder(
    library: Tracker,
    folder: TrackerFolder,
    *,
    project: str | None = None,
    advance: Advance = lambda count: None,
) -> Report:
    """Puts an export into the project of its name, or of the name `project`, and reads it back.

    A project that holds other experiments keeps its own settings.

    Raises:
        Conflict: that project is the one that was exported.
    """
    name = project or str(folder.project["name"])
    present = library.projects.find(name)
    if present is not None and str(present.id) == folder.project_id:
        raise Conflict(f"{name} is the project that was exported; --project NAME puts it into another one")
    return _Import(library, folder, name, present, advance).done()


class _Import:
    def __init__(
        self, library: Tracker, folder: TrackerFolder, name: str, present: Project | None, advance: Advance
    ) -> None:
        self._library = library
        self._folder = folder
        self._name = name
        self._keys = {
            key: run_key(folder.tool, str(folder.project["name"]), key) for key in folder.ids
        }  # by the id that each had
        here = () if present is None else library.experiments.list(present.id)
        self._is_own = all(each.run_key in set(self._keys.values()) for each in here)
        self._advance = advance
        self._differences: list[str] = []
        self._left_out: list[LeftOut] = []

    def done(self) -> Report:
        free = ProjectSettings(naming_patterns=())  # names are what they are, until all are there
        target = self._library.projects.create(self._name, settings=free, exist_ok=True)
        writer = Writer(self._library, self._folder.tool, project=self._name, advance=self._advance)
        report = writer.take_all(self._folder)
        self._experiments = {
            old: run.experiment_id for old, run in zip(self._folder.ids, report.runs, strict=True)
        }
        queries = self._queries(target)
        self._hypotheses(target, queries)
        self._settle(target)
        made = "created_at, created_by of everything"
        self._left_out.append(LeftOut(made, "say who made it here, and when"))
        report.left_out, report.differences = tuple(self._left_out), tuple(self._differences)
        return report

    def _settle(self, target: Project) -> None:
        told = self._folder.project
        if not self._is_own:
            why = f"the project {self._name} has other experiments too, and keeps its own"
            self._left_out.append(LeftOut("description, metrics and settings of the project", why))
            return
        wanted: dict[str, Any] = {
            "description": told["description"],
            "metrics": tuple(map(_definition, told["metrics"])),
            "settings": ProjectSettings(**{name: tuple(values) for name, values in told["settings"].items()}),
        }
        present = self._library.projects.get(target.id)
        changes = {name: value for name, value in wanted.items() if getattr(present, name) != value}
        if changes:
            present = self._library.projects.edit(target.id, **changes)
        self._differences += [
            f"project: {name} is {getattr(present, name)!r} here and {value!r} in the source"
            for name, value in wanted.items()
            if getattr(present, name) != value
        ]

    def _queries(self, target: Project) -> dict[str, UUID]:
        """The saved queries here, by the ids that they had."""
        present = {query.name: query for query in self._library.queries.list(target.id)}
        found: dict[str, UUID] = {}
        for told in self._folder.queries:
            query = present.get(told["name"])
            if query is None:
                query = self._library.queries.save(target.id, told["name"], told["filter"], told["order_by"])
            if (query.filter, query.order_by) != (told["filter"], told["order_by"]):
                self._differences.append(f"saved query {query.name}: another one has this name here")
                continue
            found[told["id"]] = query.id
        return found

    def _hypotheses(self, target: Project, queries: Mapping[str, UUID]) -> None:
        present: dict[tuple[str, str], list[JudgedHypothesis]] = {}
        for judged in self._library.hypotheses.list(target.id):
            key = (judged.hypothesis.title, judged.hypothesis.description)
            present.setdefault(key, []).append(judged)
        taken: Counter[tuple[str, str]] = Counter()
        for told in self._folder.hypotheses:
            key = (told["title"], told["description"])
            same = present.get(key, [])[taken[key] :]
            taken[key] += 1
            wanted = self._wanted(told, queries)
            judged = same[0] if same else self._library.hypotheses.create(target.id, **wanted)
            self._decide(judged, told)
            kept = dict(self._library.hypotheses.get(judged.id).hypothesis)
            self._differences += [
                f"hypothesis {key[0]}: {name} is {kept[name]!r} here, {value!r} in the source"
                for name, value in wanted.items()
                if kept[name] != value
            ]

    def _wanted(self, told: Mapping[str, Any], queries: Mapping[str, UUID]) -> dict[str, Any]:
        title = told["title"]
        linked = {"experiments": self._experiments, "queries": queries}
        fields: dict[str, Any] = {name: told[name] for name in ("title", "description", "threshold", "alpha")}
        for name, known in linked.items():
            fields[name] = tuple(sorted(known[each] for each in told[name] if each in known))
            lost = [each for each in told[name] if each not in known]
            if lost:
                why = "is not in the export"
                self._left_out.append(LeftOut(f"{name} of hypothesis {title}", why, len(lost)))
        fields["targets"] = tuple(map(_target, told["targets"]))
        if told["baseline"] in list(BaselineRule):
            fields["baseline"] = BaselineRule(told["baseline"])
        elif told["baseline"] in self._experiments:
            fields["baseline"] = self._experiments[told["baseline"]]
        else:
            self._left_out.append(LeftOut(f"baseline of hypothesis {title}", "is not in the export"))
        return fields

    def _decide(self, judged: JudgedHypothesis, told: Mapping[str, Any]) -> None:
        """Repeats the decisions that are not there yet."""
        known = len(self._library.hypotheses.decisions(judged.id))
        for decision in told["decisions"][known:]:
            status = None if decision["status"] is None else HypothesisStatus(decision["status"])
            self._library.hypotheses.decide(judged.id, status, decision["reason"] or "no reason was given")
        kept = self._library.hypotheses.decisions(judged.id)
        wanted = [(each["status"], each["reason"] or "no reason was given") for each in told["decisions"]]
        if [(each.status, each.reason) for each in kept] != wanted:
            self._differences.append(f"hypothesis {told['title']}: its decisions are not those of the source")
        if wanted:
            why = "say what was done here; status and reason are carried"
            self._left_out.append(
                LeftOut(f"time and author of decisions on {told['title']}", why, len(wanted))
            )


def _definition(told: Mapping[str, Any]) -> MetricDefinition:
    return MetricDefinition(
        name=told["name"],
        direction=Direction(told["direction"]),
        aggregation=Aggregation(told["aggregation"]),
        label=told["label"],
    )


def _target(told: Mapping[str, Any]) -> Target:
    direction = told["direction"]
    return Target(**{**told, "direction": None if direction is None else Direction(direction)})
