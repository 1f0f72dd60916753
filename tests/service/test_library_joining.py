"""Series over others and ranks as one, in process and against a live server: one suite over both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import new_id
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.scalars.joining import SeriesOver

Where = dict[str, str]


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    if request.param == "embedded":
        return {"data": str(tmp_path)}
    live: LiveServer = request.getfixturevalue("server")
    return {"url": live.url}


@pytest.fixture
def library(where: Where) -> Iterator[tracker.Tracker]:
    with tracker.open(**where) as opened:
        yield opened


def test_a_scalar_can_be_read_over_another_one(library: tracker.Tracker, where: Where) -> None:
    with tracker.init(f"project {new_id()}", **where) as run:
        run.log({"acc": 0.0}, step=-1)
        for step in range(6):
            run.log({"acc": step / 10} | ({"epoch": step / 2} if step % 2 == 0 else {}), step=step)
    found = library.scalars.read(run.id, "acc", x="epoch")
    assert isinstance(found, SeriesOver)
    assert found.x.tolist() == [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]
    assert (found.value.tolist(), found.axis) == ([step / 10 for step in range(6)], "epoch")
    assert (found.inexact, found.left_out) == (3, 1)
    with pytest.raises(Invalid, match="x: the experiment has no scalar 'epohc'"):
        library.scalars.read(run.id, "acc", x="epohc")
    assert len(library.scalars.read(run.id, "none", x="epoch")) == 0


def test_the_ranks_of_a_job_can_be_read_as_one(library: tracker.Tracker, where: Where) -> None:
    with tracker.init(f"project {new_id()}", **where) as run:
        for step in range(4):
            run.log({"loss": 1.0, "loss@rank1": 2.0, "epoch": step}, step=step)
            if step < 2:
                run.log({"loss@rank10": 6.0, "loss@rank1x": 100.0}, step=step)
    expected = {"mean": [3, 3, 1.5, 1.5], "min": [1] * 4, "max": [6, 6, 2, 2], "sum": [9, 9, 3, 3]}
    for how, values in expected.items():
        found = library.scalars.read(run.id, "loss", ranks=how)
        assert (found.name, found.step.tolist(), found.value.tolist()) == ("loss", [0, 1, 2, 3], values)
    both = library.scalars.read(run.id, "loss", x="epoch", ranks="max")
    assert isinstance(both, SeriesOver) and both.x.tolist() == [0, 1, 2, 3] and both.value.tolist()[0] == 6
    assert library.scalars.read(run.id, "loss").value.tolist() == [1.0] * 4
    assert library.scalars.read(run.id, "epoch", ranks="mean").value.tolist() == [0, 1, 2, 3]
    assert len(library.scalars.read(run.id, "none", ranks="mean")) == 0
    with pytest.raises(Invalid, match="ranks: must be one of mean, min, max, sum"):
        library.scalars.read(run.id, "loss", ranks="median")
    with pytest.raises(Invalid, match="name: 'loss@rank1' is one rank's"):
        library.scalars.read(run.id, "loss@rank1", ranks="mean")
    for wrong in ({"x": "epoch"}, {"ranks": "mean"}):
        with pytest.raises(NotFound):
            library.scalars.read(new_id(), "loss", **wrong)
