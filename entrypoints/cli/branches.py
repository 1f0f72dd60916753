"""``tracker branches``: what resumed runs left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracker.domain.experiments.branch import AbandonedValue, Branch

from .lookup import experiment_named
from .output import Column, as_json_option, print_json, print_table
from .target import with_library
from .text import moment, number

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["branches"]

_EMPTY = "it was never resumed at an earlier step"


def _value(each: AbandonedValue) -> str:
    label = "" if each.label is None else f"[{each.label}]"
    return f"{each.name}{label} {number(each.value)} at {each.step}"


def _values(branch: Branch) -> str:
    return ", ".join(map(_value, branch.values))


_COLUMNS = (
    Column("id", lambda branch: str(branch.id)),
    Column("from step", lambda branch: str(branch.from_step), is_number=True),
    Column("points", lambda branch: str(branch.points), is_number=True),
    Column("made", lambda branch: moment(branch.made_at)),
    Column("final values", _values),
)


@click.command()
@click.argument("experiment", metavar="EXPERIMENT")
@click.option("--project", help="Id or name of the project to look in; by default in all.")
@as_json_option
@with_library
def branches(library: Tracker, experiment: str, project: str | None, as_json: bool) -> None:
    """List what EXPERIMENT had logged and gave up when it was resumed at an earlier step.

    Its points are read under the branch's id, as in tracker.open(...).scalars.read(ID, "loss").
    """
    found = library.experiments.branches(experiment_named(library, experiment, project).id)
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty=_EMPTY)
