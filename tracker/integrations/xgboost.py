"""XGBoost: ``xgb.train(..., callbacks=[TrackerCallback(project="p")])``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tracker.integrations.attached import Attached
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["TrackerCallback"]

_xgboost = needed("xgboost", "xgboost", "tracker.integrations.xgboost")


class TrackerCallback(_xgboost.callback.TrainingCallback):  # type: ignore[name-defined,misc]
    """Has XGBoost log each round's evaluations to a run, as ``DATA-METRIC`` at the round's number.

    It works for ``train``, ``cv`` and the estimators. Of several workers, rank 0 logs.

    Args:
        run: a run that is open already; it stays open.
        importance: the kind of feature importance that is kept at the end, as a table; empty = none.
        options: else arguments of :func:`tracker.init`.
    """

    def __init__(self, run: Run | None = None, *, importance: str = "gain", **options: Any) -> None:
        super().__init__()
        self._attached = Attached(run, options)
        self._importance = importance
        self._last: dict[str, float] = {}
        self._round = 0

    @property
    def run(self) -> Run | None:
        """The run, from the beginning of the training on."""
        return self._attached.run

    def before_training(self, model: Any) -> Any:
        """Starts the run and keeps the booster's parameters."""
        if not _is_first():
            return model
        self._attached.begin()
        with self._attached.doing("the booster's parameters") as run:
            booster = model.cvfolds[0].bst if hasattr(model, "cvfolds") else model
            run.params(_parameters(json.loads(booster.save_config())))
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Keeps a round's evaluations; never stops the training."""
        if _is_first():
            with self._attached.doing("a round") as run:
                self._last = dict(_evaluations(evals_log))
                self._round = epoch
                if self._last:
                    run.log(self._last, step=epoch)
        return False

    def after_training(self, model: Any) -> Any:
        """Keeps the results, and finishes the run if it was started here."""
        if not _is_first():
            return model
        with self._attached.doing("the results") as run:
            for name, value in self._last.items():
                run.metric(name, value, step=self._round)
            if not hasattr(model, "cvfolds"):
                _keep_best(run, model)
                self._keep_importance(run, model)
        self._attached.end()
        return model

    def _keep_importance(self, run: Run, booster: Any) -> None:
        if self._importance:
            found = booster.get_score(importance_type=self._importance)
            rows = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
            if rows:
                run.table("feature_importance", rows, columns=["feature", self._importance])


def _keep_best(run: Run, booster: Any) -> None:
    found = booster.attributes()
    if "best_score" in found:  # early stopping leaves them there
        run.metric("best_score", float(found["best_score"]), step=int(found["best_iteration"]))
        run.metric("best_iteration", int(found["best_iteration"]))


def _evaluations(log: Mapping[str, Any]) -> Any:
    for data, metrics in log.items():
        for metric, values in metrics.items():
            last = values[-1]
            if isinstance(last, tuple):  # of cv: mean and standard deviation
                yield f"{data}-{metric}-mean", last[0]
                yield f"{data}-{metric}-std", last[1]
            else:
                yield f"{data}-{metric}", last


def _parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in sections that end with ``_param`` (and the kinds chosen), under their own names."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if key in ("name", "num_boosted_rounds") or key.startswith("metrics"):
            continue
        if isinstance(value, Mapping):
            if "name" in value and isinstance(value["name"], str):
                found[key] = value["name"]
            found.update(_parameters(value))
        elif isinstance(value, str):
            found[key] = _typed(value)
    return found


def _typed(text: str) -> Any:
    """A number where the text is one; the configuration has all as text, lists too."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text


def _is_first() -> bool:
    return int(_xgboost.collective.get_rank()) == 0
