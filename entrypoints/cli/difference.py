"""``tracker diff``: in what two experiments differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tracker.domain.experiments.features import FeaturesDiff
from tracker.domain.experiments.features import diff as difference_of
from tracker.domain.projects.project import Project
from tracker.domain.search.found import FoundExperiment

from .cells import Cell, Head, color_option, print_cells, styled
from .deltas import changes_heads, changes_rows, definitions, delta_cell, plain_changes, value_cell
from .errors import Failure
from .lookup import experiment_named, found_again
from .output import as_json_option, print_json
from .target import with_library

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["diff"]

_MOST_LINES = 20_000  # of both texts together: comparing takes the square of it at worst
_LOOKS = {"+": "better", "-": "worse", "@": "running"}


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--project", help="Id or name of the project to look in; by default in all.")
@click.option("--git", "with_git", is_flag=True, help="Also how the uncommitted changes of the code differ.")
@color_option
@as_json_option
@with_library
def diff(library: Tracker, old: str, new: str, *, project: str | None, with_git: bool, as_json: bool) -> None:
    """Show in what two EXPERIMENTs differ, old -> new.

    Parameters and features that differ, metrics with what NEW gains or loses, and whether both ran with the
    same uncommitted changes of the code.
    """
    before = found_again(library, experiment_named(library, old, project))
    after = found_again(library, experiment_named(library, new, project, rather=before.project_id))
    pair = _Pair(library.projects.get(after.project_id), before, after)
    git = list(_git(before, after)) if with_git else None
    if as_json:
        print_json(_fields(pair, git))
        return
    _print_changes(pair)
    _print_metrics(pair)
    click.echo(f"\n{styled('git diff', 'head')}\n  {_git_state(before, after)}")
    for line in git or ():
        click.echo(styled(line, _LOOKS.get(line[:1], "")))


class _Pair(NamedTuple):
    project: Project
    old: FoundExperiment
    new: FoundExperiment

    @property
    def params(self) -> FeaturesDiff:
        """The parameters that differ."""
        return difference_of(self.old.params, self.new.params)

    @property
    def features(self) -> FeaturesDiff:
        """The leaves of the features that differ."""
        return difference_of(self.old.features, self.new.features)

    def metrics(self) -> Iterator[tuple[str, float | None, float | None]]:
        """Name, old and new value of all metrics that either has, those that the project tracks first."""
        names = {**self.old.metrics, **self.new.metrics}
        tracked = [name for name in definitions(self.project) if name in names]
        for name in (*tracked, *sorted(names.keys() - set(tracked))):
            yield name, self.old.metrics.get(name), self.new.metrics.get(name)


def _fields(pair: _Pair, git: list[str] | None) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "old": {"id": pair.old.id, "name": pair.old.name},
        "new": {"id": pair.new.id, "name": pair.new.name},
        "params": plain_changes(pair.params),
        "features": plain_changes(pair.features),
        "metrics": {
            name: {"old": old, "new": new, "delta": None if old is None or new is None else new - old}
            for name, old, new in pair.metrics()
        },
        "git_diff_differs": (pair.old.git_diff or "") != (pair.new.git_diff or ""),
    }
    return fields if git is None else {**fields, "git_diff": "".join(f"{line}\n" for line in git)}


def _print_changes(pair: _Pair) -> None:
    rows = changes_rows(pair.params, "params.") + changes_rows(pair.features, "features.")
    if rows:
        print_cells(changes_heads(pair.old.name, pair.new.name), rows)
    else:
        click.echo("params and features are the same")


def _print_metrics(pair: _Pair) -> None:
    tracked = definitions(pair.project)
    rows = [
        (Cell(name), value_cell(old), value_cell(new), delta_cell(tracked.get(name), new, old))
        for name, old, new in pair.metrics()
    ]
    if rows:
        click.echo()
        heads = (Head("metric"), Head("old", is_number=True), Head("new", is_number=True))
        print_cells((*heads, Head("Δ", is_number=True)), rows)


def _git_state(old: FoundExperiment, new: FoundExperiment) -> str:
    lines = [len((each.git_diff or "").splitlines()) for each in (old, new)]
    if (old.git_diff or "") == (new.git_diff or ""):
        return f"the same, {lines[0]} lines" if lines[0] else "neither has uncommitted changes"
    return f"differs: {lines[0]} lines → {lines[1]} lines"


def _git(old: FoundExperiment, new: FoundExperiment) -> Iterator[str]:
    """The unified difference of the two texts, line by line.

    Raises:
        Failure: they are too long to compare.
    """
    before, after = ((each.git_diff or "").splitlines() for each in (old, new))
    if len(before) + len(after) > _MOST_LINES:
        raise Failure(
            f"--git: the two texts have more than {_MOST_LINES} lines; "
            "`tracker show EXPERIMENT --json` gives each as git_diff"
        )
    return difflib.unified_diff(before, after, fromfile=old.name, tofile=new.name, lineterm="")
