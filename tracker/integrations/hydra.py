"""Hydra: a callback that makes each job a run, and a sweep their parent.

In the configuration::

    hydra:
      callbacks:
        tracker:
          _target_: tracker.integrations.hydra.TrackerCallback
          project: mnist

Within a job, :func:`current_run` is its run.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.domain.errors import Unavailable
from tracker.integrations.attached import is_number, warned, without_raising
from tracker.integrations.children import child_of, place_of
from tracker.integrations.needed import needed
from tracker.run.run import Run
from tracker.run.start import init

__all__ = ["TrackerCallback", "composed", "current_run"]

_callback = needed("hydra.experimental.callback", "hydra-core", "tracker.integrations.hydra")
_omegaconf = needed("omegaconf", "omegaconf", "tracker.integrations.hydra")
_current: list[Run] = []


def current_run() -> Run | None:
    """The run of the job that runs here, or ``None`` outside of one."""
    return _current[-1] if _current else None


def composed(config: Any) -> dict[str, Any]:
    """A composed configuration as plain values, without Hydra's own part; references are filled in."""
    found = _omegaconf.OmegaConf.to_container(config, resolve=False)
    found.pop("hydra", None)
    own = _omegaconf.OmegaConf.create(found)
    filled = _omegaconf.OmegaConf.to_container(own, resolve=True, throw_on_missing=False)
    return {str(name): value for name, value in filled.items()}


class TrackerCallback(_callback.Callback):  # type: ignore[name-defined,misc]
    """Makes each Hydra job a run: the composed configuration are its parameters.

    What the task function returns, a number or several, are final values; the job's output folder is
    kept as an artifact. A multirun is a run too, and the parent of its jobs.

    Args:
        outputs: whether the output folder is kept.
        metric_name: of what the task function returns.
        options: arguments of :func:`tracker.init`.
    """

    def __init__(self, *, outputs: bool = True, metric_name: str = "objective", **options: Any) -> None:
        self._outputs = outputs
        self._metric_name = metric_name
        self._options = {name: _plain(value) for name, value in options.items()}
        self._sweep: Run | None = None
        self._parent: str | None = None
        self._job: Run | None = None

    def __getstate__(self) -> dict[str, Any]:
        """A launcher may take it to another process, where the sweep's run is only the parent."""
        return {**self.__dict__, "_sweep": None, "_job": None}

    def on_multirun_start(self, config: Any, **kwargs: Any) -> None:
        """Starts the sweep's run."""
        self._sweep = init(**self._options)
        with without_raising("the sweep"):
            self._sweep.tag("sweep")
            overrides = config.hydra.overrides.task
            self._sweep.params({"sweep": {"overrides": " ".join(map(str, overrides))}})
            with suppress(Unavailable):  # offline it has none yet
                self._parent = str(self._sweep.id)

    def on_multirun_end(self, config: Any, **kwargs: Any) -> None:
        """Finishes the sweep's run."""
        if self._sweep is not None:
            self._sweep.finish()
            self._sweep = None

    def on_job_start(self, config: Any, *, task_function: Any = None, **kwargs: Any) -> None:
        """Starts the job's run."""
        self._job = self._start(config)
        _current.append(self._job)
        with without_raising("the configuration"):
            self._job.params(composed(config))

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        """Keeps what the job gave, and finishes its run."""
        run, self._job = self._job, None
        if run is None:
            return
        _current.remove(run)
        with without_raising("what the job gave"):
            if self._outputs:
                run.folder(Path(config.hydra.runtime.output_dir), name="outputs")
            if job_return.status.name == "COMPLETED":
                self._keep_returned(run, job_return.return_value)
        if job_return.status.name == "COMPLETED":
            run.finish()
        else:
            error = job_return._return_value  # the property raises it
            run.finish_by(error)

    def _start(self, config: Any) -> Run:
        if self._sweep is not None:
            number = config.hydra.job.get("num", 0)
            return child_of(self._sweep, f"job{number}", tags=("job",), place=place_of(self._options))
        if self._parent is not None:
            return init(**{**self._options, "parent": self._parent, "name": None})
        return init(**self._options)

    def _keep_returned(self, run: Run, value: Any) -> None:
        if value is None:
            return
        if isinstance(value, Mapping):
            values = dict(value)
        elif isinstance(value, tuple | list):
            values = {f"{self._metric_name}_{number}": item for number, item in enumerate(value)}
        else:
            values = {self._metric_name: value}
        for name, item in values.items():
            if is_number(item):
                run.metric(str(name), item)
            else:
                warned(f"what the task function returned as {name} is no number, so it was not kept")


def _plain(value: Any) -> Any:
    if _omegaconf.OmegaConf.is_config(value):
        return _omegaconf.OmegaConf.to_container(value, resolve=True)
    return value
