"""Optuna: ``study.optimize(objective, callbacks=[TrackerCallback(project="p")])``."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from tracker.integrations.attached import Attached, without_raising
from tracker.integrations.children import child_of, place_of
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["TrackerCallback", "trial_run"]

_optuna = needed("optuna", "optuna", "tracker.integrations.optuna")
_current: ContextVar[Run | None] = ContextVar("tracker_trial", default=None)


def trial_run() -> Run | None:
    """The run of the trial whose objective runs here, wrapped by :meth:`TrackerCallback.track`."""
    return _current.get()


class TrackerCallback:
    """Has each trial of a study become an experiment, whose parent is the run of the study.

    A trial's experiment has its parameters, its intermediate values as the curve ``intermediate``, and
    its values as final ones under the names of the study's metrics. Tags tell what became of it:
    ``complete``, ``pruned`` or ``failed``. A pruned trial is a complete experiment without final values,
    since what it had when it was stopped is not comparable; a failed one is a failed experiment.
    The study's run has each trial's values at the trial's number, and ``best_value`` so far.

    Optuna tells callbacks of no end of a study: used as a context manager, or by :meth:`finish`, it
    finishes a run that was started here; else that happens when the interpreter is left.

    Args:
        run: a run that is open already; it stays open.
        metric_name: names of the objectives where the study has none (``study.set_metric_names``).
        options: else arguments of :func:`tracker.init`; with `run`, ``data``, ``url``, ``token`` and
            ``mode`` say where the trials go.
    """

    def __init__(
        self, run: Run | None = None, *, metric_name: str | Sequence[str] = "value", **options: Any
    ) -> None:
        self._attached = Attached(run, options)
        self._place = place_of(options)
        self._names = [metric_name] if isinstance(metric_name, str) else list(metric_name)
        self._open: dict[int, Run] = {}
        self._study: Any = None
        self._lock = threading.Lock()

    @property
    def run(self) -> Run | None:
        """The study's run, from the first trial on."""
        return self._attached.run

    def __call__(self, study: Any, trial: Any) -> None:
        """Keeps a trial that has ended."""
        with self._lock:
            if self._attached.run is None:
                self._begin(study)
            self._study = study
        with without_raising(f"trial {trial.number}"):
            child = self._open.pop(trial.number, None) or self._child(trial)
            self._keep(study, trial, child)

    def track(self, objective: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Wraps an objective, so that its trial's experiment is there from its beginning.

        Within, :func:`trial_run` gives the run to log to. The callback has to be given to
        ``optimize`` as well.
        """

        @functools.wraps(objective)
        def tracked(trial: Any) -> Any:
            child: Run | None = None
            with self._lock:
                if self._attached.run is None:
                    self._begin(trial.study)
            with without_raising(f"trial {trial.number}"):
                child = self._open[trial.number] = self._child(trial)
            token = _current.set(child)
            try:
                return objective(trial)
            except _optuna.TrialPruned:
                raise
            except BaseException as error:
                self._fail(trial.number, error)
                raise
            finally:
                _current.reset(token)

        return tracked

    def finish(self) -> None:
        """Keeps the best trials, and finishes the study's run if it was started here."""
        run = self._attached.run
        if run is not None and self._study is not None:
            with without_raising("the best trials"):
                self._keep_best(run, self._study)
        self._attached.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()
        else:
            self._attached.end(error)

    def _begin(self, study: Any) -> None:
        run = self._attached.begin()
        with without_raising("the study"):
            run.params({
                "optuna": {
                    "study": study.study_name,
                    "sampler": type(study.sampler).__name__,
                    "pruner": type(study.pruner).__name__,
                    "direction": ",".join(direction.name.lower() for direction in study.directions),
                }
            })  # fmt: skip

    def _child(self, trial: Any) -> Run:
        parent = self._attached.begin()
        return child_of(parent, f"trial{trial.number}", tags=("trial",), place=self._place)

    def _fail(self, number: int, error: BaseException) -> None:
        with without_raising(f"trial {number}"):
            child = self._open.pop(number, None)
            if child is not None:
                child.tag("failed")
                child.finish_by(error)

    def _keep(self, study: Any, trial: Any, child: Run) -> None:
        state = trial.state
        kind = {"PRUNED": "pruned", "FAIL": "failed"}.get(state.name, "complete")
        child.params(trial.params)
        child.tag(kind)
        for step, value in sorted(trial.intermediate_values.items()):
            child.log({"intermediate": value}, step=step)
        if kind == "complete" and trial.values:
            values = dict(zip(self._metric_names(study), trial.values, strict=True))
            for name, value in values.items():
                child.metric(name, value)
            self._tell_study(study, trial, values)
        if kind == "failed":
            child.finish("failed", reason=str(trial.system_attrs.get("fail_reason", "the trial failed")))
        else:
            child.finish()

    def _tell_study(self, study: Any, trial: Any, values: dict[str, float]) -> None:
        best = {} if len(study.directions) > 1 else {"best_value": study.best_value}
        run = self._attached.run
        if run is not None:
            run.log({**values, **best}, step=trial.number)

    def _metric_names(self, study: Any) -> list[str]:
        count = len(study.directions)
        named = study.metric_names or self._names
        if len(named) == count:
            return list(named)
        return [f"{named[0]}_{number}" for number in range(count)]

    def _keep_best(self, run: Run, study: Any) -> None:
        best = [trial for trial in study.best_trials if trial.values]
        if not best:
            return
        names = self._metric_names(study)
        if len(names) == 1:
            run.metric("best_value", best[0].values[0], step=best[0].number)
        rows = [[trial.number, *trial.values, str(trial.params)] for trial in best]
        run.table("best_trials", rows, columns=["trial", *names, "params"])
