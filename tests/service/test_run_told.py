"""What is collected for the end of a run, and what when nothing answers."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.factories import a_project, an_experiment
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, ProjectSettings
from tracker.remote import connect
from tracker.run.ending import MOST_LINES, Ending, ending
from tracker.run.told import told


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A project with two runs, the second from the first."""
    accuracy = MetricDefinition(name="val.acc", direction=Direction.MAXIMIZE, aggregation=Aggregation.BEST)
    with tracker.open(tmp_path) as library:
        library.projects.create("p", metrics=[accuracy], settings=ProjectSettings(display_metrics=("shown",)))
    for name, factor in (("1_base", 1.0), ("2_from_1_lr", 2.0)):
        with tracker.init("p", name, data=tmp_path) as run:
            for step in range(20):
                run.log(
                    {"z.loss": factor / (step + 1), "val.acc": factor * (10 - abs(step - 10)), "a": 1.0},
                    step=step,
                )
                run.log(
                    {"test.f1": 0.5, "shown": math.nan, "system.cpu.percent": 5.0, "a@rank1": 2.0}, step=step
                )
            run.metric("final", factor)
    yield tmp_path


async def test_it_tells_of_what_matters_first_beside_the_parent(folder: Path):
    async with tracker.aopen(folder) as library:
        (project,) = await library.projects.list()
        base, run = await library.experiments.list(project.id)
        await library.hypotheses.create(
            project.id, title="lr helps", targets=["val.acc"], experiments=[run.id]
        )
        await library.hypotheses.create(project.id, title="else", targets=["a"], experiments=[base.id])
        found = await told(library, run, Ending("", seconds=10, points=80, overhead=0.001, waiting=2))
    assert [curve.name for curve in found.curves] == ["shown", "val.acc", "test.f1", "z.loss", "a"]
    assert found.further == 2, "final, and what the machine did; a rank is no series of its own"
    accuracy, loss = found.curves[1], found.curves[3]
    assert (accuracy.last, accuracy.best, accuracy.delta, accuracy.is_better) == (2.0, 20.0, 10.0, True)
    assert (len(accuracy.values), accuracy.parent) == (20, 10.0)
    assert (loss.last, loss.best, loss.extent, loss.is_better) == (0.1, None, (0.1, 2.0), None)
    assert math.isclose(loss.delta or 0, 0.05)
    assert found.curves[0].delta is None, "NaN has no distance"
    assert (found.name, found.project, found.parent, found.status) == (
        "2_from_1_lr",
        "p",
        "1_base",
        "complete",
    )
    assert [title for title, _ in found.hypotheses] == ["lr helps"]
    assert (found.waiting, found.where, found.unknown) == (2, "tracker show 2_from_1_lr", [])
    assert len(ending(found).splitlines()) <= MOST_LINES


async def test_a_run_without_a_parent_or_values_has_an_end_too(tmp_path: Path):
    with tracker.init("p", "odd name; rm", data=tmp_path) as run:
        pass
    async with tracker.aopen(tmp_path) as library:
        found = await told(library, run.experiment, Ending("", seconds=0.5))
    assert (found.curves, found.further, found.unknown, found.parent) == ([], 0, [], "")
    assert found.where == f"tracker show {run.id}", "which the shell reads as one word"


async def test_what_does_not_answer_is_named_and_the_rest_is_told():
    three = an_experiment(a_project(), name="3_run")
    library = await connect("http://127.0.0.1:9")
    found = await told(library, three, Ending("", seconds=1, points=5, waiting=5))
    assert found.unknown == ["curves", "final values", "hypotheses"]
    assert ending(found) == (
        "3_run: planned\n  1 s, 5 points\n  and curves unknown, final values unknown, hypotheses unknown\n"
        "  5 values wait: tracker sync\n  tracker show 3_run\n"
    )
    await library.aclose()


async def test_a_server_that_takes_for_ever_is_not_waited_for():
    three = an_experiment(a_project(), name="3_run")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        library = await connect(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        found = await told(library, three, Ending("", project="p", seconds=1), within=0.2)
        await library.aclose()
    assert "hypotheses" in found.unknown and (found.name, found.project) == ("3_run", "p")
