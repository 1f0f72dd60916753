"""Runs the demo and shows what was tracked."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.tree import Tree

import tracker
from tracker.demo.digits import load
from tracker.demo.family import CLAIMED_METRIC, CLAIMS, FAMILY, STEPS, train
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.hypotheses.judged import JudgedHypothesis
from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.aggregation import improvement
from tracker.domain.projects.project import Direction, MetricDefinition, Project
from tracker.run.sparkline import sparkline

__all__ = ["PROJECT", "run"]

PROJECT = "digits-demo"
METRICS = (
    MetricDefinition(name="val.acc"),
    MetricDefinition(name="val.loss", direction=Direction.MINIMIZE),
)
CURVES = ("train.loss", "val.loss", "val.acc")


def run(data: str | Path | None = None, console: Console | None = None, *, steps: int = STEPS) -> None:
    """Trains the family, tracks it in the folder `data`, and shows it on `console`.

    A second run adds a second family to the same project. `steps` is how long each is trained.
    """
    folder = None if data is None else Path(data)
    out = console or Console()
    with tracker.open(folder) as library:
        project = library.projects.create(PROJECT, metrics=METRICS, exist_ok=True)
        present = len(library.experiments.list(project.id))
        if present:
            out.print(f"project {PROJECT} has {present} experiments; another family joins them")
        made = _trained(folder, out, first=present + 1, steps=steps)
        claims = _claimed(library, project, made)
        _show(library, project, made, out)
        _judge(library, claims, out)
    where = "" if folder is None else f" --data {shlex.quote(str(folder))}"
    out.print("\nLook closer, or serve it over HTTP:", highlight=False)
    for words in ("ls 'val.loss < 0.2'", "show 2", f'hypothesis show "{CLAIMS[0].title}"', "server"):
        out.print(f"  tracker{where} {words}", highlight=False, soft_wrap=True, markup=False)


def _trained(folder: Path | None, out: Console, first: int, steps: int) -> list[Experiment]:
    digits = load()
    made: list[Experiment] = []
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        console=out, transient=True, disable=not out.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("training", total=steps * len(FAMILY))
        for index, member in enumerate(FAMILY):
            origin = "" if member.parent is None else f"_from_{first + member.parent}"
            name = f"{first + index}{origin}_{member.change}"
            bar.update(task, description=f"{name:<24}")
            made.append(
                train(
                    member,
                    digits,
                    project=PROJECT,
                    name=name,
                    parent=None if member.parent is None else made[member.parent],
                    data=folder,
                    steps=steps,
                    stepped=lambda: bar.advance(task),
                )
            )
            bar.update(task, completed=steps * (index + 1))
    return made


def _claimed(library: tracker.Tracker, project: Project, made: list[Experiment]) -> list[JudgedHypothesis]:
    """The hypotheses, linked to the experiments that test them; a second family joins the first."""
    present = {one.hypothesis.title: one for one in library.hypotheses.list(project.id)}
    judged = []
    for claim in CLAIMS:
        found = present.get(claim.title) or library.hypotheses.create(
            project.id,
            title=claim.title,
            description=claim.description,
            targets=[CLAIMED_METRIC],
            baseline="root",
        )
        for index in claim.members:
            found = library.hypotheses.link(found.id, made[index].id)
        judged.append(found)
    return judged


def _judge(library: tracker.Tracker, claims: list[JudgedHypothesis], out: Console) -> None:
    table = Table(title=f"hypotheses, judged by {CLAIMED_METRIC}", title_justify="left")
    table.add_column("claim")
    table.add_column("verdict")
    table.add_column("better by", justify="right")
    table.add_column("95 % interval")
    for claim in claims:
        (target,) = library.hypotheses.evidence(claim.id).targets
        effect = "-" if target.effect is None else f"{target.effect:+.4f}"
        interval = "-" if target.interval is None else "{:+.4f} to {:+.4f}".format(*target.interval)
        color = {"supported": "green", "refuted": "red"}.get(claim.status, "default")
        table.add_row(claim.hypothesis.title, f"[{color}]{claim.status}[/]", effect, interval)
    out.print(table)


def _show(library: tracker.Tracker, project: Project, made: list[Experiment], out: Console) -> None:
    values = {
        (row.experiment_id, row.definition.name): row.value for row in library.metrics.table(project.id)
    }
    table = Table(title=f"{len(made)} experiments of project {PROJECT}", title_justify="left")
    table.add_column("experiment", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for metric in METRICS:
        table.add_column(metric.name, justify="right", no_wrap=True)
        table.add_column("Δ parent", justify="right", no_wrap=True)
    for experiment in made:
        cells = [cell for metric in METRICS for cell in _compared(experiment, metric, values)]
        table.add_row(experiment.name, experiment.status.value, *cells)
    out.print(table)
    out.print(_tree(made))
    out.print(_curves(library, made))


def _compared(
    experiment: Experiment, metric: MetricDefinition, values: dict[tuple[ExperimentId, str], float]
) -> tuple[str, str]:
    """The value and its difference to the parent's, green when that is better."""
    value = values.get((experiment.id, metric.name))
    if value is None:
        return "-", "-"
    before = values.get((experiment.parent_id, metric.name)) if experiment.parent_id else None
    if before is None:
        return f"{value:.4f}", "-"
    better = improvement(metric, value, before)
    color = "green" if better > 0 else "red" if better < 0 else "default"
    return f"{value:.4f}", f"[{color}]{value - before:+.4f}[/]"


def _tree(made: list[Experiment]) -> Tree:
    root = Tree(PROJECT)
    branches: dict[ExperimentId, Tree] = {}
    for experiment in made:
        above = branches.get(experiment.parent_id, root) if experiment.parent_id else root
        mark = " [red](failed)[/]" if experiment.status == "failed" else ""
        branches[experiment.id] = above.add(f"{experiment.name}{mark}")
    return root


def _curves(library: tracker.Tracker, made: list[Experiment]) -> Table:
    table = Table(title="every step (× = not a number)", title_justify="left")
    table.add_column("experiment", no_wrap=True)
    for curve in CURVES:
        table.add_column(curve, no_wrap=True)
    for experiment in made:
        series = [library.scalars.read(experiment.id, curve) for curve in CURVES]
        table.add_row(experiment.name, *(sparkline(one.value.tolist(), 16) for one in series))
    return table
