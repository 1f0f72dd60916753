from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tracker

xgb = pytest.importorskip("xgboost", reason="needs the dependency group integrations")
np = pytest.importorskip("numpy")

from tracker.integrations.xgboost import TrackerCallback  # noqa: E402


@pytest.fixture(scope="module")
def matrices() -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 4))
    y = (x[:, 0] + 0.2 * random.normal(size=200) > 0).astype(int)
    return xgb.DMatrix(x[:150], y[:150]), xgb.DMatrix(x[150:], y[150:])


PARAMS = {"max_depth": 2, "eta": 0.3, "objective": "binary:logistic", "eval_metric": ["logloss", "error"]}


def test_each_round_is_a_point_of_what_xgboost_itself_recorded(matrices: Any, kept: Any) -> None:
    train, valid = matrices
    recorded: dict[str, Any] = {}
    xgb.train(
        PARAMS, train, 6, evals=[(train, "train"), (valid, "valid")], evals_result=recorded,
        verbose_eval=False, callbacks=[TrackerCallback(project="p")],
    )  # fmt: skip
    run = kept.only()
    assert run.status == "complete"
    for data, metrics in recorded.items():
        for metric, values in metrics.items():
            assert kept.curve(run, f"{data}-{metric}") == list(enumerate(values))
            assert kept.metrics(run)[f"{data}-{metric}"] == values[-1]
    assert run.params["max_depth"] == 2
    assert run.params["objective"] == "binary:logistic"
    assert "feature_importance.jsonl" in kept.artifacts(run)


def test_a_run_that_is_passed_stays_open_and_early_stopping_is_told(matrices: Any, kept: Any) -> None:
    train, valid = matrices
    with tracker.init("p") as run:
        booster = xgb.train(
            {**PARAMS, "eta": 1.0}, train, 200, evals=[(valid, "valid")], early_stopping_rounds=3,
            verbose_eval=False, callbacks=[TrackerCallback(run)],
        )  # fmt: skip
        assert run.is_open
    metrics = kept.metrics(kept.only())
    assert metrics["best_iteration"] == booster.best_iteration
    assert metrics["best_score"] == pytest.approx(booster.best_score)


def test_cross_validation_and_estimators_are_tracked_too(matrices: Any, kept: Any) -> None:
    xgb.cv(PARAMS, matrices[0], 4, nfold=3, callbacks=[TrackerCallback(project="cv")])
    run = kept.only("cv")
    assert len(kept.curve(run, "test-logloss-mean")) == 4
    assert "test-logloss-std" in kept.metrics(run)
    model = xgb.XGBClassifier(n_estimators=3, callbacks=[TrackerCallback(project="p")])
    x = np.arange(40.0).reshape(20, 2)
    model.fit(x, [0, 1] * 10, eval_set=[(x, [0, 1] * 10)], verbose=False)
    assert len(kept.curve(kept.only(), "validation_0-logloss")) == 3


def test_nothing_that_fails_in_logging_stops_the_training(
    matrices: Any, data: Path, complaints: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = TrackerCallback(project="p")

    def fails(*args: Any, **options: Any) -> None:
        raise RuntimeError("no room")

    for name in ("log", "metric", "params", "table", "finish"):
        monkeypatch.setattr(f"tracker.run.run.Run.{name}", fails)
    booster = xgb.train(
        PARAMS, matrices[0], 3, evals=[(matrices[0], "train")], verbose_eval=False, callbacks=[callback]
    )
    assert booster.num_boosted_rounds() == 3
    assert any("no room" in text for text in complaints.take())


def test_a_callback_without_a_project_says_what_to_give(matrices: Any, data: Path) -> None:
    with pytest.raises(tracker.Invalid, match="TRACKER_PROJECT"):
        xgb.train(PARAMS, matrices[0], 1, callbacks=[TrackerCallback()])
