"""Comparing through the library's front door, in process and against a live server: one suite over both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import NOON, new_id
from tracker import Direction, MetricDefinition, ScalarRecord
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.projects.project import Project

pytestmark = pytest.mark.slow  # forests are grown


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tracker.Tracker]:
    if request.param == "embedded":
        where = {"data": str(tmp_path)}
    else:
        live: LiveServer = request.getfixturevalue("server")
        where = {"url": live.url}
    with tracker.open(**where) as opened:  # type: ignore[arg-type]
        yield opened


@pytest.fixture
def project(library: tracker.Tracker) -> Project:
    loss = MetricDefinition(name="loss", direction=Direction.MINIMIZE)
    return library.projects.create(f"project {new_id()}", metrics=(MetricDefinition(name="val.acc"), loss))


@pytest.fixture
def runs(library: tracker.Tracker, project: Project) -> list[Experiment]:
    """Five seeds of each of two optimizers, in turn."""
    drafts = [
        {
            "name": f"{opt}{seed}", "status": "complete", "params": {"opt": opt, "lr": lr, "seed": seed},
            "features": {"layers": [{"name": "conv", "width": width}], "depth": lr},
            "git_diff": f"--- a/train.py\n+++ b/train.py\n@@ -1 +1,{width} @@\n-x\n" + "+y\n" * width,
            "metrics": [
                {"name": "val.acc", "value": base + seed / 1000}, {"name": "loss", "value": 1 + seed * base},
            ],
        }
        for opt, lr, width, base in (("adam", 0.1, 1, 0.91), ("lion", 1, 2, 0.93))
        for seed in range(5)
    ]  # fmt: skip
    return list(library.experiments.create_many(project.id, drafts))


def test_two_experiments_are_compared_in_words(library: tracker.Tracker, runs: list[Experiment]) -> None:
    adam, lion = runs[0], runs[5]
    found = library.experiments.compare([str(adam.id), lion.id])
    assert found.baseline.name == "adam0" and [each.name for each in found.experiments] == ["adam0", "lion0"]
    assert [(row.name, dict(row.values)) for row in found.params] == [
        ("lr", {adam.id: 0.1, lion.id: 1}), ("opt", {adam.id: "adam", lion.id: "lion"}),
    ]  # fmt: skip
    assert [row.name for row in found.features] == ["depth", "layers.conv.width"]
    assert type(found.params[0].values[lion.id]) is int
    assert [(each.same, [tuple(f) for f in each.files]) for each in found.code] == [
        (True, [("train.py", 1, 1)]), (False, [("train.py", 2, 1)]),
    ]  # fmt: skip
    assert found.metrics is not None
    acc, loss = found.metrics
    assert (acc.key, acc.direction, loss.direction) == ("val.acc", Direction.MAXIMIZE, Direction.MINIMIZE)
    contrast = acc.cells[1].contrast
    assert contrast is not None and (contrast.n, contrast.baseline_n) == (5, 5)
    assert contrast.effect == pytest.approx(0.02) and contrast.low < contrast.effect < contrast.high
    assert acc.cells[1].is_best and acc.cells[1].delta == pytest.approx(0.02)
    assert found.words is not None and found.words.startswith(
        "lion0 against adam0: lr 0.1 -> 1, opt adam -> lion"
    )
    assert library.experiments.compare([lion.id], adam.id).words == found.words


def test_what_is_missing_stays_missing(library: tracker.Tracker, project: Project) -> None:
    one = library.experiments.create(project.id, name="a", params={"x": None})
    other = library.experiments.create(project.id, name="b", params={"y": True})
    library.scalars.log(other.id, [ScalarRecord(step=0, values={"val.acc": math.inf})])
    library.experiments.edit(other.id, status="running")
    library.experiments.edit(other.id, status="complete")  # what its series say is noted then
    found = library.experiments.compare([one.id, other.id])
    assert [(row.name, dict(row.values)) for row in found.params] == [
        ("x", {one.id: None}),
        ("y", {other.id: True}),
    ]
    assert found.metrics is not None
    (acc,) = found.metrics
    assert [(c.value, c.delta, c.is_best) for c in acc.cells] == [
        (None, None, False),
        (math.inf, None, False),
    ]
    assert [each.is_known for each in found.code] == [False, False]


def test_the_table_of_a_project(library: tracker.Tracker, project: Project, runs: list[Experiment]) -> None:
    child = library.experiments.create(project.id, name="child", parent_id=runs[0].id, status="complete")
    library.metrics.log(child.id, "val.acc", 0.5)
    first = library.metrics.matrix(project.id, "val.acc > 0", "-val.acc", 4, baseline=runs[0].id)
    assert [row.name for row in first.rows] == ["lion4", "lion3", "lion2", "lion1"]
    assert [column.best for column in first.columns] == [0.934, 1.0]
    assert first.rows[0].cells[0].is_best and first.rows[0].cells[0].baseline_delta == pytest.approx(0.024)
    names = [row.name for row in first.rows]
    page = first
    while page.next_cursor is not None:
        page = library.metrics.matrix(project.id, "val.acc > 0", "-val.acc", 4, cursor=page.next_cursor)
        names += [row.name for row in page.rows]
    assert len(names) == len(set(names)) == 11
    last = page.rows[-1]
    assert (last.name, last.parent_id) == ("child", runs[0].id)
    assert last.cells[0].parent_delta == pytest.approx(-0.41)
    assert (last.cells[1].value, last.cells[1].parent_delta) == (None, None)


def test_a_front_and_the_importance_of_parameters(
    library: tracker.Tracker, project: Project, runs: list[Experiment]
) -> None:
    found = library.metrics.pareto(project.id, ["val.acc", "loss"])
    assert [member.name for member in found.members] == ["lion4", "lion3", "lion2", "lion1", "lion0"]
    assert (found.considered, found.excluded) == (10, 0)
    turned = library.metrics.pareto(project.id, ["loss"], minimize=["val.acc"], filter='params.opt = "adam"')
    assert [member.name for member in turned.members] == ["adam0"] and turned.considered == 5
    for method in ("rank", "forest"):
        told = library.metrics.importance(project.id, "val.acc", method=method)
        assert (told.method, told.runs) == (method, 10) and {row.name for row in told.params} == {
            "lr",
            "opt",
            "seed",
        }
        assert "10 runs are few" in told.warnings[0]


def test_series_are_compared_at_the_same_budget(library: tracker.Tracker, runs: list[Experiment]) -> None:
    for run, speed in ((runs[0], 1), (runs[5], 2)):
        records = [
            ScalarRecord(step=i, values={"loss": 10.0 - speed * i}, time=NOON + timedelta(seconds=i / speed))
            for i in range(speed * 3)
        ]
        library.scalars.log(run.id, records)
    found = library.experiments.compare_at([runs[0].id, runs[5].id], "loss")
    assert (found.at, found.ahead) == (2, (runs[5].id,))
    assert [(row.value, row.step) for row in found.rows] == [(8.0, 2), (6.0, 2)]
    timed = library.experiments.compare_at([runs[0].id, runs[5].id], "loss", axis="time", at=1.0)
    assert [(row.value, row.elapsed) for row in timed.rows] == [(9.0, 1.0), (6.0, 1.0)]
    turned = library.experiments.compare_at([runs[0].id, runs[5].id], "loss", direction="maximize")
    assert turned.ahead == (runs[0].id,)


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (tracker.NotFound, lambda lib, one, run: lib.experiments.compare([run, uuid4()])),
        (tracker.NotFound, lambda lib, one, run: lib.experiments.compare([run], uuid4())),
        (tracker.NotFound, lambda lib, one, run: lib.experiments.compare_at([uuid4()], "loss")),
        (tracker.NotFound, lambda lib, one, run: lib.metrics.matrix(uuid4())),
        (tracker.NotFound, lambda lib, one, run: lib.metrics.matrix(one, baseline=uuid4())),
        (tracker.NotFound, lambda lib, one, run: lib.metrics.pareto(uuid4(), ["a", "b"])),
        (tracker.NotFound, lambda lib, one, run: lib.metrics.importance(uuid4(), "a")),
        (tracker.Invalid, lambda lib, one, run: lib.experiments.compare([])),
        (tracker.Invalid, lambda lib, one, run: lib.experiments.compare(["x"])),
        (tracker.Invalid, lambda lib, one, run: lib.experiments.compare([uuid4() for _ in range(101)])),
        (tracker.Invalid, lambda lib, one, run: lib.experiments.compare_at([run], "loss", axis="x")),
        (tracker.Invalid, lambda lib, one, run: lib.experiments.compare_at([run], "loss", at=math.nan)),
        (tracker.Invalid, lambda lib, one, run: lib.experiments.compare_at([run], "loss", direction="up")),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.matrix(one, limit=0)),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.matrix(one, cursor="x")),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.pareto(one, ["a"])),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.pareto(one, ["a", "-b"])),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.pareto(one, ["a", "b"], filter="a >")),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.importance(one, "params.lr")),
        (tracker.Invalid, lambda lib, one, run: lib.metrics.importance(one, "a", method="guess")),
    ],
)
def test_errors_are_the_same_on_both_sides(
    library: tracker.Tracker, project: Project, error: type[Exception], attempt: Callable[..., Any]
) -> None:
    run = library.experiments.create(project.id, name="a")
    with pytest.raises(error):
        attempt(library, project.id, run.id)
