"""scikit-learn: functions that keep what estimators, cross-validations and searches hold.

Nothing of the library is replaced. ``log_estimator(run, model)`` keeps parameters,
``log_cross_validation(run, cross_validate(...))`` the folds, and ``log_search(run, search)`` a fitted
``GridSearchCV`` or ``RandomizedSearchCV``, its candidates as experiments of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracker.integrations.attached import is_number, without_raising
from tracker.integrations.children import child_of
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["log_cross_validation", "log_estimator", "log_score", "log_search"]

needed("sklearn", "scikit-learn", "tracker.integrations.sklearn")


def log_estimator(run: Run, estimator: Any, *, prefix: str = "") -> None:
    """Keeps an estimator's class and parameters, those of the steps of a pipeline too.

    Args:
        run: an open run.
        estimator: anything with ``get_params``.
        prefix: stands before every name, with a dot.
    """
    with without_raising("the estimator"):
        found = {"estimator": type(estimator).__name__, **_parameters(estimator)}
        run.params({prefix: found} if prefix else found)


def log_score(run: Run, estimator: Any, x: Any, y: Any, *, name: str = "score") -> None:
    """Keeps what ``estimator.score(x, y)`` gives as a final value; it is computed here.

    Args:
        run: an open run.
        estimator: a fitted one.
        x: samples.
        y: their targets.
        name: the metric's.
    """
    value = estimator.score(x, y)
    with without_raising("the score"):
        run.metric(name, value)


def log_cross_validation(run: Run, results: Any, *, name: str = "test_score") -> None:
    """Keeps the folds as points, step = fold, and as final values their mean and standard deviation.

    Args:
        run: an open run.
        results: what ``cross_validate`` gives, or the scores of ``cross_val_score``.
        name: of such scores.
    """
    with without_raising("the cross-validation"):
        columns = results if isinstance(results, Mapping) else {name: results}
        for column, values in columns.items():
            scores = [float(value) for value in values if is_number(value)]
            for fold, value in enumerate(scores):
                run.log({column: value}, step=fold)
            if scores and len(scores) == len(values):
                run.metric(f"mean_{column}", _mean(scores))
                run.metric(f"std_{column}", _deviation(scores))


def log_search(run: Run, search: Any, *, candidates: int | None = None, **place: Any) -> None:
    """Keeps a fitted search: the best parameters and score, and each candidate as an experiment.

    A candidate's experiment has the run as its parent, its parameters, its scores of each fold as
    points, and ``mean_test_score``, ``std_test_score`` and ``rank_test_score`` as final values.

    Args:
        run: an open run.
        search: a fitted ``GridSearchCV``, ``RandomizedSearchCV`` or one of the halving searches.
        candidates: how many become experiments, the best first; ``None`` = all, 0 = none.
        place: ``data``, ``url``, ``token`` or ``mode``, where the run was started with them.
    """
    with without_raising("the search"):
        log_estimator(run, search.estimator)
        run.params(
            {"search": {"kind": type(search).__name__, "candidates": len(search.cv_results_["params"])}}
        )
        if hasattr(search, "best_params_"):
            run.params({"best": {name: _plain(value) for name, value in search.best_params_.items()}})
        if hasattr(search, "best_score_"):
            run.metric("best_score", search.best_score_)
    with without_raising("the search's candidates"):
        order = _ranked(search.cv_results_)
        for number in order if candidates is None else order[:candidates]:
            _keep_candidate(run, search.cv_results_, number, place)


def _keep_candidate(run: Run, results: Mapping[str, Any], number: int, place: Mapping[str, Any]) -> None:
    params = {name: _plain(value) for name, value in results["params"][number].items()}
    child = child_of(run, f"candidate{number}", params=params, tags=("candidate",), place=place)
    for column, values in results.items():
        value = values[number]
        if column == "params" or column.startswith("param_") or not is_number(value):
            continue
        split, _, rest = column.partition("_")
        if split.startswith("split") and split[5:].isdigit():
            child.log({rest: value}, step=int(split[5:]))
        elif float(value) == float(value):  # a fold that failed is NaN, and so are its means
            child.metric(column, value)
    child.finish()


def _ranked(results: Mapping[str, Any]) -> list[int]:
    ranks = next((values for name, values in results.items() if name.startswith("rank_")), None)
    numbers = range(len(results["params"]))
    return list(numbers) if ranks is None else sorted(numbers, key=lambda number: int(ranks[number]))


def _parameters(estimator: Any) -> dict[str, Any]:
    return dict(sorted(_items(estimator.get_params(deep=True))))


def _items(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Parameters, under ``step.name`` instead of ``step__name``."""
    for name, value in params.items():
        yield name.replace("__", "."), _plain(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "get_params"):
        return type(value).__name__
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if is_number(value):
        return value.item() if hasattr(value, "item") else float(value)
    return str(value)[:1000]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _deviation(values: list[float]) -> float:
    """Of the population, as ``cv_results_`` has it."""
    middle = _mean(values)
    return float((sum((value - middle) ** 2 for value in values) / len(values)) ** 0.5)
