"""Hypotheses through the library's front door, in process and against a live server: one suite over both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import new_id
from tracker import Direction, HypothesisStatus, MetricDefinition, ScalarRecord, Target
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.projects.project import Project


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
    return library.projects.create(f"project {new_id()}", metrics=(MetricDefinition(name="acc"), loss))


def seeds(
    library: tracker.Tracker, project: Project, values: list[float], *, width: int, **fields: Any
) -> list[Experiment]:
    """Complete runs that differ in their seed only."""
    runs = []
    for seed, value in enumerate(values):
        run = library.experiments.create(
            project.id, name=f"w{width}s{seed}", params={"width": width, "seed": seed},
            status="complete", **fields,
        )  # fmt: skip
        library.metrics.log(run.id, "acc", value)
        runs.append(run)
    return runs


def test_a_hypothesis_is_proposed_tested_and_supported(library: tracker.Tracker, project: Project) -> None:
    narrow = seeds(library, project, [0.50, 0.51, 0.49], width=8)
    wide = seeds(library, project, [0.60, 0.61, 0.62], width=64, parent_id=narrow[0].id)
    made = library.hypotheses.create(
        project.id, title="wider is better", targets=["acc"], baseline="parent", description="so they say"
    )
    assert (made.status, made.score, made.headline) == (HypothesisStatus.PROPOSED, None, None)
    assert made.hypothesis.targets == (Target(name="acc"),)
    for run in wide:
        judged = library.hypotheses.link(made.id, str(run.id))
    assert judged.status is HypothesisStatus.SUPPORTED
    assert judged.hypothesis.experiments == tuple(sorted(run.id for run in wide))
    assert judged.headline is not None and judged.headline.effect == pytest.approx(0.11)
    assert library.hypotheses.get(str(made.id)) == judged
    assert library.hypotheses.list(project.id) == (judged,)
    assert library.hypotheses.recent(project_id=project.id, limit=1) == (judged,)
    evidence = library.hypotheses.evidence(made.id)
    assert evidence.headline == judged.headline
    (group,) = evidence.groups
    assert (group.n, group.baseline) == (3, tuple(sorted(run.id for run in narrow)))
    assert {one.name for one in evidence.experiments} == {run.name for run in (*narrow, *wide)}
    assert evidence.why.startswith("The score 0.")


def test_new_values_change_the_verdict_at_once(library: tracker.Tracker, project: Project) -> None:
    (base,) = seeds(library, project, [0.5], width=8)
    runs = seeds(library, project, [0.9], width=64)
    made = library.hypotheses.create(
        project.id, title="a", targets=("acc",), baseline=str(base.id), experiments=[runs[0].id]
    )
    assert made.status is HypothesisStatus.SUPPORTED
    library.metrics.log(runs[0].id, "acc", 0.1)
    assert library.hypotheses.get(made.id).status is HypothesisStatus.REFUTED
    library.experiments.delete(runs[0].id)
    after = library.hypotheses.get(made.id)
    assert (after.status, after.hypothesis.experiments) == (HypothesisStatus.PROPOSED, ())


def test_series_that_scatter_at_their_end_weaken_the_evidence(
    library: tracker.Tracker, project: Project
) -> None:
    (base,) = seeds(library, project, [0.5], width=8)
    (run,) = seeds(library, project, [0.9], width=64)
    made = library.hypotheses.create(
        project.id, title="a", targets=["acc"], baseline=base.id, experiments=[run.id]
    )
    assert library.hypotheses.evidence(made.id).units[0].stability == 1
    values = [0.5] * 72 + [0.8, 1.0] * 4
    library.scalars.log(run.id, [ScalarRecord(step=i, values={"acc": v}) for i, v in enumerate(values)])
    (unit,) = library.hypotheses.evidence(made.id).units
    assert unit.stability == pytest.approx(1 / (1 + 1.4826 * 0.1 / 0.5))
    assert unit.scale == 0.5


def test_a_decision_counts_until_it_is_withdrawn(library: tracker.Tracker, project: Project) -> None:
    made = library.hypotheses.create(project.id, title="a", targets=["acc"])
    decided = library.hypotheses.decide(made.id, "refuted", "seen by eye")
    assert (decided.status, decided.computed_status) == (HypothesisStatus.REFUTED, HypothesisStatus.PROPOSED)
    assert decided.hypothesis.decision is not None and decided.hypothesis.decision.reason == "seen by eye"
    evidence = library.hypotheses.evidence(made.id)
    assert (evidence.status, evidence.computed_status) == (decided.status, decided.computed_status)
    back = library.hypotheses.decide(made.id, None, "follow the numbers")
    assert (back.status, back.hypothesis.decision) == (HypothesisStatus.PROPOSED, None)
    log = library.hypotheses.decisions(made.id)
    assert [(one.status, one.reason) for one in log] == [
        (HypothesisStatus.REFUTED, "seen by eye"), (None, "follow the numbers"),
    ]  # fmt: skip


def test_editing_changes_what_is_given(library: tracker.Tracker, project: Project) -> None:
    (run,) = seeds(library, project, [0.5], width=8)
    made = library.hypotheses.create(project.id, title="a", targets=["acc"])
    edited = library.hypotheses.edit(
        made.id, title="b", targets=[Target(name="loss", weight=2), "acc"], baseline="best", threshold=0.5,
        alpha=0.01, experiments=[str(run.id)],
    )  # fmt: skip
    one = edited.hypothesis
    assert (one.title, one.baseline, one.threshold, one.alpha) == ("b", "best", 0.5, 0.01)
    assert [(t.name, t.weight) for t in one.targets] == [("loss", 2.0), ("acc", 1.0)]
    assert one.experiments == (run.id,)
    assert library.hypotheses.unlink(made.id, run.id).hypothesis.experiments == ()
    library.hypotheses.delete(made.id)
    with pytest.raises(tracker.NotFound):
        library.hypotheses.get(made.id)


@pytest.mark.parametrize(
    ("error", "attempt"),
    [
        (tracker.NotFound, lambda lib, one, other: lib.hypotheses.get(uuid4())),
        (tracker.NotFound, lambda lib, one, other: lib.hypotheses.create(uuid4(), title="a")),
        (tracker.NotFound, lambda lib, one, other: lib.hypotheses.link_query(one.id, uuid4())),
        (tracker.NotFound, lambda lib, one, other: lib.hypotheses.unlink_query(one.id, uuid4())),
        (tracker.NotFound, lambda lib, one, other: lib.hypotheses.unlink(one.id, other.id)),
        (tracker.NotFound, lambda lib, one, other: lib.hypotheses.edit(one.id, queries=[uuid4()])),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.link(one.id, uuid4())),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.link(one.id, other.id)),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, experiments=[other.id])),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, baseline=other.id)),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, baseline="nonsense")),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, threshold=1.0)),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, nonsense=1)),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, targets=["a", "a"])),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.edit(one.id, status="nonsense")),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.decide(one.id, "supported", "")),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.decide(one.id, "supported", "x" * 1001)),
        (tracker.Invalid, lambda lib, one, other: lib.hypotheses.recent(limit=0)),
    ],
)
def test_errors_are_the_same_on_both_sides_and_change_nothing(
    library: tracker.Tracker, project: Project, error: type[Exception], attempt: Callable[..., object]
) -> None:
    elsewhere = library.projects.create(f"{project.name} 2")
    other = library.experiments.create(elsewhere.id, name="other")
    one = library.hypotheses.create(project.id, title="a", targets=["acc"])
    with pytest.raises(error):
        attempt(library, one, other)
    assert library.hypotheses.list(project.id) == (one,)
    assert library.hypotheses.decisions(one.id) == ()
