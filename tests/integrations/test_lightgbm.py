from __future__ import annotations

from typing import Any

import pytest

import tracker

lgb = pytest.importorskip("lightgbm", reason="needs the dependency group integrations")
np = pytest.importorskip("numpy")

from tracker.integrations.lightgbm import log_summary, tracker_callback  # noqa: E402

PARAMS = {"objective": "binary", "metric": ["binary_logloss", "auc"], "num_leaves": 7, "verbose": -1}


@pytest.fixture
def sets() -> tuple[Any, Any]:
    random = np.random.default_rng(1)
    x = random.normal(size=(300, 4))
    y = (x[:, 0] + 0.5 * random.normal(size=300) > 0).astype(int)
    train = lgb.Dataset(x[:200], y[:200])
    return train, lgb.Dataset(x[200:], y[200:], reference=train)


def test_each_round_is_a_point_of_what_lightgbm_itself_recorded(sets: Any, kept: Any) -> None:
    recorded: dict[str, Any] = {}
    lgb.train(
        PARAMS, sets[0], 5, valid_sets=list(sets), valid_names=["train", "valid"],
        callbacks=[lgb.record_evaluation(recorded), tracker_callback(project="p")],
    )  # fmt: skip
    run = kept.only()
    assert run.status == "complete"
    assert recorded.keys() == {"train", "valid"}
    for data, metrics in recorded.items():
        for metric, values in metrics.items():
            assert kept.curve(run, f"{data}-{metric}") == list(enumerate(values))
            assert kept.metrics(run)[f"{data}-{metric}"] == values[-1]
    assert run.params["num_leaves"] == 7


def test_early_stopping_ends_the_curves_and_the_summary_tells_the_best(sets: Any, kept: Any) -> None:
    with tracker.init("p") as run:
        booster = lgb.train(
            {**PARAMS, "learning_rate": 0.8}, sets[0], 300, valid_sets=[sets[1]],
            callbacks=[tracker_callback(run), lgb.early_stopping(3, verbose=False)],
        )  # fmt: skip
        log_summary(run, booster)
    found = kept.only()
    assert kept.metrics(found)["best_iteration"] == booster.best_iteration
    assert len(kept.curve(found, "valid_0-auc")) == booster.best_iteration + 3
    assert "feature_importance.jsonl" in kept.artifacts(found)


def test_cross_validation_has_means_and_deviations(sets: Any, kept: Any) -> None:
    result = lgb.cv(PARAMS, sets[0], 4, nfold=3, callbacks=[tracker_callback(project="p")])
    run = kept.only()
    assert [value for _, value in kept.curve(run, "valid-auc-mean")] == list(result["valid auc-mean"])
    assert [value for _, value in kept.curve(run, "valid-auc-std")] == list(result["valid auc-stdv"])


def test_the_estimators_take_it(kept: Any) -> None:
    x = np.arange(200.0).reshape(100, 2)
    y = [0, 1] * 50
    model = lgb.LGBMClassifier(n_estimators=3, verbose=-1)
    model.fit(x, y, eval_set=[(x, y)], callbacks=[tracker_callback(project="p")])
    assert len(kept.names(kept.only())) == 1
