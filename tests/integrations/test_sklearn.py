from __future__ import annotations

from typing import Any

import pytest

import tracker

pytest.importorskip("sklearn", reason="needs scikit-learn")

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tracker.integrations.sklearn import (
    log_cross_validation,
    log_estimator,
    log_score,
    log_search,
)

pytestmark = pytest.mark.slow  # make integrations runs it too

X, Y = make_classification(120, random_state=1)


def test_an_estimators_parameters_are_kept_those_of_a_pipelines_steps_too(kept: Any) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.25)).fit(X, Y)
    with tracker.init("p") as run:
        log_estimator(run, model)
        log_score(run, model, X, Y)
    found = kept.only()
    assert found.params["estimator"] == "Pipeline"
    assert found.params["logisticregression.C"] == 0.25
    assert found.params["standardscaler.with_mean"] is True
    assert kept.metrics(found) == {"score": model.score(X, Y)}


def test_folds_are_points_and_their_mean_is_a_final_value(kept: Any) -> None:
    results = cross_validate(LogisticRegression(), X, Y, cv=4, return_train_score=True)
    scores = cross_val_score(LogisticRegression(), X, Y, cv=4)
    with tracker.init("p") as run:
        log_cross_validation(run, results)
        log_cross_validation(run, scores, name="again")
    found = kept.only()
    assert kept.curve(found, "test_score") == list(enumerate(results["test_score"].tolist()))
    metrics = kept.metrics(found)
    assert metrics["mean_test_score"] == pytest.approx(np.mean(results["test_score"]))
    assert metrics["std_test_score"] == pytest.approx(np.std(results["test_score"]))
    assert metrics["mean_again"] == pytest.approx(np.mean(scores))


def test_a_searchs_candidates_are_experiments_with_what_the_search_says_of_them(kept: Any) -> None:
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0], "fit_intercept": [True, False]}, cv=3)
    search.fit(X, Y)
    with tracker.init("p") as run:
        log_search(run, search)
    (parent,) = [each for each in kept.experiments() if each.parent_id is None]
    children = kept.children(parent)
    assert len(children) == 4
    results = search.cv_results_
    by_params = {tuple(sorted(params.items())): number for number, params in enumerate(results["params"])}
    for child in children:
        number = by_params[tuple(sorted(child.params.items()))]
        metrics = kept.metrics(child)
        assert metrics["mean_test_score"] == results["mean_test_score"][number]
        assert metrics["rank_test_score"] == results["rank_test_score"][number]
        folds = [results[f"split{fold}_test_score"][number] for fold in range(3)]
        assert kept.curve(child, "test_score") == list(enumerate(folds))
    assert kept.metrics(parent)["best_score"] == search.best_score_
    assert parent.params["best.C"] == search.best_params_["C"]


def test_only_so_many_candidates_become_experiments_the_best_first(kept: Any) -> None:
    search = GridSearchCV(LogisticRegression(), {"C": [1e-4, 1.0, 10.0]}, cv=3).fit(X, Y)
    with tracker.init("p") as run:
        log_search(run, search, candidates=1)
    (parent,) = [each for each in kept.experiments() if each.parent_id is None]
    (child,) = kept.children(parent)
    assert kept.metrics(child)["rank_test_score"] == 1
