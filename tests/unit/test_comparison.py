"""Experiments side by side: metrics, code and words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_project, an_experiment
from tracker.domain.comparison.code import FileChange, files_of
from tracker.domain.comparison.compared import Comparison, compare, default_baseline
from tracker.domain.comparison.importance import Kind, columns, ranked, warnings_about
from tracker.domain.comparison.matrix import columns_of
from tracker.domain.comparison.metrics import Measured
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.metrics.summary import MetricSummary
from tracker.domain.projects.project import Direction, MetricDefinition, ProjectSettings
from tracker.domain.statistics.contrast import welch
from tracker.domain.statistics.holm import holm

PROJECT = a_project()
ACC = MetricDefinition(name="val.acc")
LOSS = MetricDefinition(name="loss", direction=Direction.MINIMIZE)
BASE = (0.90, 0.91, 0.92, 0.91, 0.91)
BETTER = (0.93, 0.94, 0.93, 0.92, 0.93)


def summary(run: Experiment, name: str, value: float, label: str | None = None) -> MetricSummary:
    return MetricSummary(run.id, name, label, value, value, value, value, 1, 0)


def group(count: int, **params: Any) -> list[Experiment]:
    name = str(params.get("opt", "run"))
    return [an_experiment(PROJECT, name=f"{name}{s}", params={**params, "seed": s}) for s in range(count)]


def measured(
    definitions: Sequence[MetricDefinition], *groups: tuple[list[Experiment], Mapping[str, Sequence[float]]]
) -> Measured:
    replicates = {run.id: [each.id for each in runs] for runs, _ in groups for run in runs}
    rows = [
        summary(run, name, value)
        for runs, metrics in groups
        for name, values in metrics.items()
        for run, value in zip(runs, values, strict=False)
    ]
    return Measured(rows, definitions, replicates, set(replicates))


def adam_and_lion(**metrics: tuple[Sequence[float], Sequence[float]]) -> Comparison:
    """The first seeds of two groups, by these metrics of the baseline and of the other."""
    names = {name.replace("_", "."): both for name, both in metrics.items()}
    sizes = [max(len(both[side]) for both in names.values()) for side in (0, 1)]
    adam, lion = group(sizes[0], opt="adam", lr=0.1), group(sizes[1], opt="lion", lr=0.2)
    sides = [{name: both[side] for name, both in names.items()} for side in (0, 1)]
    numbers = measured([ACC, LOSS], (adam, sides[0]), (lion, sides[1]))
    return compare([adam[0], lion[0]], adam[0].id, numbers)


def test_the_answer_for_a_page_tells_changes_effect_interval_and_verdict() -> None:
    found = adam_and_lion(val_acc=(BASE, BETTER))
    estimate = welch(BETTER, BASE)
    assert estimate is not None
    low, high = estimate.interval(0.05)
    assert found.words == (
        "lion0 against adam0: lr 0.1 -> 0.2, opt adam -> lion. val.acc 0.91 -> 0.93 (+0.02, 95 % interval "
        f"{low:+.3g} .. {high:+.3g} over 5 and 5 runs). It mattered: val.acc got better."
    )


def test_without_replicates_it_says_that_one_run_a_side_proves_nothing() -> None:
    words = adam_and_lion(val_acc=(BASE[:1], BETTER[:1])).words
    assert words is not None and words.endswith(
        "val.acc 0.9 -> 0.93 (+0.03). One run a side proves nothing: repeat both, with nothing but seed "
        "changed."
    )
    lopsided = adam_and_lion(val_acc=(BASE, BETTER[:1])).words
    assert lopsided is not None and "A single run on one side proves nothing" in lopsided


def test_an_interval_that_includes_nought_leaves_it_open() -> None:
    words = adam_and_lion(val_acc=(BASE, (0.90, 0.92, 0.91))).words
    assert words is not None and words.endswith("Whether it mattered is open: every interval includes 0.")


def test_less_is_better_where_a_metric_is_minimized() -> None:
    found = adam_and_lion(loss=((0.5, 0.51, 0.49), (0.40, 0.41, 0.39)))
    assert found.metrics is not None
    (row,) = found.metrics
    base, other = row.cells
    assert (base.is_best, other.is_best, base.delta) == (False, True, None)
    assert other.delta == pytest.approx(0.1) and other.contrast is not None
    assert 0 < other.contrast.low < other.contrast.effect < other.contrast.high
    assert found.words is not None and "(+0.1 as less is better, 95 % interval" in found.words


@given(
    st.lists(st.lists(st.floats(-100, 100), min_size=4, max_size=10), min_size=1, max_size=2),
    st.integers(2, 4),
)
def test_contrasts_are_welch_s_intervals_at_the_levels_of_holm(values: list[list[float]], split: int) -> None:
    cut = min(split, min(map(len, values)) - 2)
    base, other = group(10, opt="adam"), group(10, opt="lion")
    names = ["val.acc", "loss"][: len(values)]
    sides = [{n: v[:cut] for n, v in zip(names, values, strict=True)}]
    sides.append({n: v[cut:] for n, v in zip(names, values, strict=True)})
    numbers = measured([ACC, LOSS], (base, sides[0]), (other, sides[1]))
    found = compare([base[0], other[0]], base[0].id, numbers)
    assert found.metrics is not None
    estimates = [welch(v[cut:], v[:cut]) for v in values]
    steps = holm([each.p for each in estimates if each is not None], 0.05)
    for row, estimate, step, value in zip(found.metrics, estimates, steps, values, strict=True):
        contrast = row.cells[1].contrast
        assert contrast is not None and estimate is not None
        sign = 1 if row.direction is Direction.MAXIMIZE else -1
        bounds = sorted(sign * bound for bound in estimate.interval(step.level))
        assert [contrast.low, contrast.high] == bounds
        assert contrast.effect == sign * estimate.value
        assert (contrast.p, contrast.adjusted_p, contrast.level) == (estimate.p, step.p, 1 - step.level)
        assert (contrast.n, contrast.baseline_n) == (len(value) - cut, cut)


def test_replicates_of_one_another_are_not_tested() -> None:
    adam = group(3, opt="adam")
    numbers = measured([ACC], (adam, {"val.acc": BASE}))
    found = compare(adam[:2], adam[0].id, numbers)
    assert found.metrics is not None and found.metrics[0].cells[1].contrast is None
    assert found.words is not None and "they are replicates" in found.words


def test_missing_and_non_finite_values_have_no_delta_and_are_never_best() -> None:
    runs = [an_experiment(PROJECT, name=n) for n in "abcd"]
    rows = [summary(runs[0], "val.acc", 0.5), summary(runs[1], "val.acc", math.nan)]
    rows.append(summary(runs[2], "val.acc", math.inf))
    found = compare(runs, runs[0].id, Measured(rows, [ACC], {}, ()))
    assert found.metrics is not None and found.words is None
    cells = found.metrics[0].cells
    assert [cell.is_best for cell in cells] == [True, False, False, False]
    assert [cell.delta for cell in cells] == [None, None, None, None]
    assert cells[3].value is None and cells[2].value == math.inf


def test_metrics_are_the_tracked_ones_first_and_only_these_are_tested() -> None:
    adam, lion = group(3, opt="adam"), group(3, opt="lion")
    values = {"val.acc": (1.0, 2.0, 3.0), "aux": (1.0, 2.0, 3.0)}
    found = compare([adam[0], lion[0]], adam[0].id, measured([ACC], (adam, values), (lion, values)))
    assert found.metrics is not None
    told = [(row.key, row.direction) for row in found.metrics]
    assert told == [("val.acc", Direction.MAXIMIZE), ("aux", None)]
    assert [row.cells[1].contrast is not None for row in found.metrics] == [True, False]
    assert not any(cell.is_best for cell in found.metrics[1].cells)
    untracked = compare([adam[0], lion[0]], adam[0].id, measured([], (adam, values), (lion, values)))
    assert untracked.metrics is not None
    assert all(row.cells[1].contrast is not None for row in untracked.metrics)


def test_the_baseline_is_the_first_one_s_parent_if_it_is_there() -> None:
    parent = an_experiment(PROJECT)
    child, other = an_experiment(PROJECT, parent_id=parent.id), an_experiment(PROJECT)
    assert default_baseline([child, other, parent]) == parent.id
    assert default_baseline([child, other]) == child.id


GIT = """diff --git a/model.py b/model.py
index 1..2 100644
--- a/model.py
+++ b/model.py
@@ -1,3 +1,4 @@
 import torch
-x = 1
+x = 2
+y = 3
 z = 4
diff --git a/old.py b/new.py
similarity index 100%
rename from old.py
rename to new.py
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
--- not a header
\\ No newline at end of file
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
diff --git "a/\\303\\274.py" "b/\\303\\274.py"
--- "a/\\303\\274.py"
+++ "b/\\303\\274.py"
@@ -0,0 +1 @@
+pass
"""


def test_files_of_a_git_diff() -> None:
    assert files_of(GIT) == (
        FileChange("gone.py", 0, 1),
        FileChange("logo.png", 0, 0),
        FileChange("model.py", 2, 1),
        FileChange("new.py", 0, 0),
        FileChange("\u00fc.py", 1, 0),
    )


def test_code_is_the_same_another_or_unknown() -> None:
    base, same, other, unknown = (
        an_experiment(PROJECT, name=n, git_diff=d)
        for n, d in (("a", GIT), ("b", GIT), ("c", GIT.replace("y = 3", "y = 5")), ("d", None))
    )
    found = compare([base, same, other, unknown], base.id, None)
    assert [each.same for each in found.code] == [True, True, False, None]
    assert [each.is_known for each in found.code] == [True, True, True, False]
    assert found.metrics is None
    words = compare([base, other], base.id, None).words
    assert words is not None and "The uncommitted code differs; it changes gone.py +0 -1," in words
    assert "metric" not in words


def test_a_table_has_the_display_metrics_or_else_the_tracked_ones() -> None:
    val = MetricDefinition(name="acc", label="val")
    project = a_project(metrics=(MetricDefinition(name="acc"), val, LOSS))
    assert [column.key for column in columns_of(project)] == ["acc", "acc[val]", "loss"]
    shown = project.evolve(settings=ProjectSettings(display_metrics=("time", "acc", "time")))
    assert [(c.key, c.direction) for c in columns_of(shown)] == [
        ("time", None), ("acc", Direction.MAXIMIZE), ("acc[val]", Direction.MAXIMIZE),
    ]  # fmt: skip


def test_parameters_are_numbers_or_categories() -> None:
    found = {
        c.name: c
        for c in columns([{"lr": 1, "a": 1, "b": True, "c": None}, {"lr": 0.5, "a": "x"}, {"lr": None}])
    }
    assert found["lr"].kind is Kind.NUMERIC and found["lr"].values == (1.0, 0.5, None)
    assert found["a"].kind is Kind.CATEGORICAL and found["a"].values == ("1", '"x"', None)
    assert found["b"].values == ("true", None, None) and found["c"].values == ("null", None, None)


def test_importance_ranks_what_goes_with_the_metric_and_says_what_it_cannot_judge() -> None:
    runs = [
        {"lr": i, "opt": "ab"[i % 2], "fixed": 3, "name": f"run {i}", "late": -i if i > 2 else None}
        for i in range(12)
    ]
    target = [float(i * i) for i in range(12)]
    found = columns(runs)
    rows = {row.name: row for row in ranked(found, target)}
    assert [row.name for row in ranked(found, target)][:2] == ["late", "lr"]
    assert (rows["lr"].importance, rows["lr"].correlation) == (1.0, 1.0)
    assert (rows["late"].importance, rows["late"].correlation, rows["late"].missing) == (1.0, -1.0, 3)
    assert rows["opt"].correlation is None and 0 < (rows["opt"].importance or 0) < 0.5
    assert (rows["fixed"].importance, rows["fixed"].note) == (None, "it never varies")
    assert rows["name"].note == "nearly every run has a value of its own"
    told = " ".join(warnings_about(found, target))
    assert "12 runs are few for 3 parameters" in told and "fixed: it never varies" in told


def test_enough_runs_are_not_warned_about() -> None:
    found = columns([{"lr": i} for i in range(10)])
    assert warnings_about(found, [float(i) for i in range(10)]) == ()
    assert "same value in all runs" in warnings_about(found, [1.0] * 10)[0]
