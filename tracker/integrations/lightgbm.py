"""LightGBM: ``lgb.train(..., callbacks=[tracker_callback(project="p")])``."""

from __future__ import annotations

from typing import Any

from tracker.integrations.attached import Attached, is_number
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["TrackerCallback", "log_summary", "tracker_callback"]

needed("lightgbm", "lightgbm", "tracker.integrations.lightgbm")


class TrackerCallback:
    """Has LightGBM log each round's evaluations to a run, as ``DATA-METRIC`` at the round's number.

    LightGBM tells its callbacks of no end that comes early, so a run that was started here is finished
    after the last round, or else by :func:`log_summary` or :meth:`finish`, at the latest when the
    interpreter is left.

    Args:
        run: a run that is open already; it stays open.
        options: else arguments of :func:`tracker.init`.
    """

    order = 20  # before early stopping, which ends the round by an exception
    before_iteration = False

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        self._attached = Attached(run, options)
        self._last: dict[str, float] = {}

    @property
    def run(self) -> Run | None:
        """The run, from the first round on."""
        return self._attached.run

    def __call__(self, env: Any) -> None:
        """Keeps what a round gave."""
        if env.iteration == env.begin_iteration:
            self._attached.begin()
            with self._attached.doing("the parameters") as run:
                run.params({name: _plain(value) for name, value in env.params.items()})
        with self._attached.doing("a round") as run:
            self._last = dict(_evaluations(env.evaluation_result_list or ()))
            if self._last:
                run.log(self._last, step=env.iteration)
        if env.iteration == env.end_iteration - 1:
            self.finish()

    def finish(self) -> None:
        """Keeps the last round's evaluations as final values, and finishes a run that was started here."""
        if self._attached.run is None:
            return
        with self._attached.doing("the results") as run:
            for name, value in self._last.items():
                run.metric(name, value)
            self._last = {}
        self._attached.end()


def tracker_callback(run: Run | None = None, **options: Any) -> TrackerCallback:
    """A callback in the way of LightGBM's own; see :class:`TrackerCallback`."""
    return TrackerCallback(run, **options)


def log_summary(run: Run, booster: Any) -> None:
    """Keeps what a trained booster knows: the best round, its scores, and the features' importance.

    Args:
        run: an open run.
        booster: a ``Booster``, or an estimator that has one.
    """
    booster = getattr(booster, "booster_", booster)
    attached = Attached(run, {})
    with attached.doing("the summary"):
        if booster.best_iteration > 0:
            run.metric("best_iteration", booster.best_iteration)
        for data, scores in booster.best_score.items():
            for metric, value in scores.items():
                run.metric(f"best/{data}-{metric}", value)
        names = booster.feature_name()
        pairs = zip(names, booster.feature_importance("gain").tolist(), strict=True)
        rows = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
        run.table("feature_importance", rows, columns=["feature", "gain"])


def _evaluations(results: Any) -> Any:
    for data, metric, value, _, *deviation in results:
        if deviation and deviation[0] is not None:  # of cv
            yield f"{data}-{metric}-mean", value
            yield f"{data}-{metric}-std", deviation[0]
        else:
            yield f"{data}-{metric}", value


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool) or is_number(value):
        return value
    return str(value)
