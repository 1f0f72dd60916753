"""The library's front door, in process and against a live server: one suite over both."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

import tracker
from tests.e2e.conftest import LiveServer
from tests.factories import new_id
from tracker.domain.errors import Invalid, InvalidTransition, LineageCycle, NotFound
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition
from tracker.domain.scalars.batch import ScalarBatch
from tracker.domain.scalars.record import ScalarRecord

Where = dict[str, str]


@pytest.fixture(params=["embedded", "server"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """What `open` and `init` are given."""
    if request.param == "embedded":
        return {"data": str(tmp_path)}
    server: LiveServer = request.getfixturevalue("server")
    return {"url": server.url}


@pytest.fixture
def library(where: Where) -> Iterator[tracker.Tracker]:
    with tracker.open(**where) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    return f"project {new_id()}"


def test_a_run_is_tracked_from_start_to_end(library: tracker.Tracker, where: Where, name: str) -> None:
    with tracker.init(name, name="1_baseline", params={"opt": {"lr": 0.1}}, tags=["a"], **where) as run:
        for step in range(30):
            run.log({"loss": 1 / (step + 1), "odd": math.nan if step % 2 else math.inf}, step=step)
        run.metric("acc", 0.5)
    with pytest.raises(ZeroDivisionError), tracker.init(name, name="2_from_1_lr", **where) as broken:
        broken.log({"loss": 1 / 0})
    (project,) = library.projects.list(name=name)
    first, second = library.experiments.list(project.id)
    assert (first.status, second.status) == ("complete", "failed")
    assert second.parent_id == first.id
    assert dict(first.params) == {"opt.lr": 0.1}
    assert [(m.name, m.value) for m in library.metrics.list(first.id)] == [("acc", 0.5)]
    loss = library.scalars.read(first.id, "loss")
    assert loss.step.tolist() == list(range(30))
    assert loss.value.tolist() == [1 / (step + 1) for step in range(30)]
    odd = library.scalars.read(first.id, "odd").value
    assert np.isinf(odd[::2]).all()
    assert np.isnan(odd[1::2]).all()


def test_two_runs_share_the_project_they_name(library: tracker.Tracker, where: Where, name: str) -> None:
    for _ in range(2):
        tracker.init(name, **where).finish()
    assert len(library.projects.list(name=name)) == 1


def test_a_batch_sent_twice_is_kept_once(library: tracker.Tracker, name: str) -> None:
    run = library.experiments.create(library.projects.create(name).id, name="a")
    batch = ScalarBatch(
        id=BatchId(new_id()),
        experiment_id=run.id,
        names=("loss",),
        series=np.zeros(3, np.int64),
        step=np.arange(3),
        time=np.arange(3) * 1_000_000,
        value=np.array([3.0, 2.0, 1.0]),
    )
    for _ in range(2):
        library.scalars.append(batch)
    assert library.scalars.read(run.id, "loss").value.tolist() == [3.0, 2.0, 1.0]


def test_a_project_is_judged_by_its_metrics(library: tracker.Tracker, name: str) -> None:
    accuracy = MetricDefinition(name="acc", direction=Direction.MAXIMIZE, aggregation=Aggregation.BEST)
    project = library.projects.create(name, metrics=(accuracy,))
    run = library.experiments.create(project.id, name="a")
    for step, value in enumerate((0.1, 0.9, 0.5)):
        library.metrics.log(run.id, "acc", value, step=step)
    assert [(row.value, row.step) for row in library.metrics.table(project.id)] == [(0.9, 1)]
    renamed = library.projects.edit(project.id, description="why")
    assert (renamed.description, renamed.metrics) == ("why", (accuracy,))


def test_a_summary_tells_what_the_points_say(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    run = library.experiments.create(project.id, name="a")
    values = [3.0, math.nan, -1.0]
    library.scalars.log(run.id, [ScalarRecord(step=s, values={"v": v}) for s, v in enumerate(values)])
    (row,) = library.scalars.summary(project.id)
    assert (row.count, row.non_finite, row.min_value, row.max_value) == (3, 1, -1.0, 3.0)
    assert (row.first_step, row.last_step, row.last_value) == (0, 2, -1.0)


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (NotFound, lambda lib, a, b: lib.experiments.get(ExperimentId(UUID(int=1)))),
        (NotFound, lambda lib, a, b: lib.scalars.read(ExperimentId(UUID(int=1)), "x")),
        (Invalid, lambda lib, a, b: lib.experiments.create(a.project_id, name="x" * 101)),
        (Invalid, lambda lib, a, b: lib.metrics.log(a.id, "acc", math.nan)),
        (Invalid, lambda lib, a, b: lib.experiments.edit(a.id, color="red")),
        (Invalid, lambda lib, a, b: lib.experiments.edit(a.id, parent_id=ExperimentId(UUID(int=1)))),
        (LineageCycle, lambda lib, a, b: lib.experiments.edit(a.id, parent_id=b.id)),
        (InvalidTransition, lambda lib, a, b: lib.experiments.edit(b.id, status="planned")),
    ],
)
def test_errors_are_the_same_on_both_sides(
    library: tracker.Tracker, name: str, error: type[Exception], attempt: Callable[..., object]
) -> None:
    project = library.projects.create(name)
    a = library.experiments.create(project.id, name="a")
    b = library.experiments.create(project.id, name="b", parent_id=a.id)
    library.experiments.edit(b.id, status="running")
    with pytest.raises(error):
        attempt(library, a, b)
    assert library.experiments.get(a.id) == a


def test_deleting_takes_everything_along(library: tracker.Tracker, name: str) -> None:
    project = library.projects.create(name)
    run = library.experiments.create(project.id, name="a")
    library.scalars.log(run.id, [ScalarRecord(step=0, values={"loss": 1.0})])
    library.projects.delete(project.id)
    for gone in (lambda: library.projects.get(project.id), lambda: library.scalars.read(run.id, "loss")):
        with pytest.raises(NotFound):
            gone()
