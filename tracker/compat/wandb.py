"""A module shaped like ``wandb``, for its common calls: ``import tracker.compat.wandb as wandb``.

What is carried, what is accepted and ignored with one warning, and what is refused stands in the guide
*Coming from wandb*. Where things go is said as everywhere (``TRACKER_URL``, ``TRACKER_DATA``, ...);
variables of wandb mean nothing here.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Mapping
from enum import Enum
from types import SimpleNamespace
from typing import Any

from tracker.compat import wandb_errors as errors
from tracker.compat.wandb_artifact import Artifact
from tracker.compat.wandb_config import Config
from tracker.compat.wandb_errors import CommError, Error, NotCarriedError, UsageError, ignored, refused
from tracker.compat.wandb_media import Audio, Histogram, Html, Image, Table, Uncarried, Video
from tracker.compat.wandb_run import Run
from tracker.compat.wandb_starting import started
from tracker.compat.wandb_summary import Summary

__all__ = [
    "AlertLevel", "Artifact", "Audio", "CommError", "Error", "Histogram", "Html", "Image", "NotCarriedError",
    "Run", "Settings", "Table", "UsageError", "Video", "agent", "alert", "config", "controller",
    "define_metric", "errors", "finish", "init", "log", "log_artifact", "log_model", "login", "plot",
    "restore", "run", "save", "setup", "summary", "sweep", "teardown", "termerror", "termlog", "termwarn",
    "unwatch", "use_artifact", "watch",
]  # fmt: skip

__version__ = "0.31.0+tracker"

_log = logging.getLogger("tracker.compat.wandb")


class _Before:
    """Stands where ``init()`` has to be called before."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def _refuse(self) -> Any:
        raise Error(f"You must call wandb.init() before wandb.{object.__getattribute__(self, '_name')}")

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self._refuse()

    def __setattr__(self, key: str, value: Any) -> None:
        self._refuse()

    def __getitem__(self, key: str) -> Any:
        return self._refuse()

    def __setitem__(self, key: str, value: Any) -> None:
        self._refuse()


run: Run | None = None
"""The run that is active."""
config: Config | Any = _Before("config")
summary: Summary | Any = _Before("summary")


class AlertLevel(Enum):
    """How urgent an alert is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Settings(SimpleNamespace):
    """Takes any setting; none means anything here."""


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: Any = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Any = None,
    config: Any = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    resume: bool | str | None = None,
    reinit: bool | str | None = None,
    **more: Any,
) -> Run:
    """Starts a run, which is then the active one; one that is active already is returned.

    Raises:
        UsageError: arguments that exclude each other, or a run to be resumed that there is not.
        TrackerError: the run cannot be started.
    """
    active = run
    if active is not None and active.tracker_run.is_open:
        if reinit in (True, "finish_previous"):
            active.finish()
        elif reinit != "create_new":
            errors.warn("wandb.init() was called while a run is active, and gives that run")
            if config is not None:
                active.config.update(config, allow_val_change=True)
            return active
    made = started(
        entity=entity, project=project, dir=dir, id=id, name=name, notes=notes, tags=tags, config=config,
        group=group, job_type=job_type, mode=mode, resume=resume, **more,
    )  # fmt: skip
    return _activate(made)


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **more: Any) -> None:
    """See :meth:`Run.log`."""
    _active("log()").log(data, step, commit)


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """Finishes the active run, if there is one."""
    if run is not None:
        run.finish(exit_code, quiet)
        _deactivate()


def define_metric(name: str, *args: Any, **options: Any) -> Any:
    """See :meth:`Run.define_metric`."""
    return _active("define_metric()").define_metric(name, *args, **options)


def save(glob_str: Any = None, *args: Any, **options: Any) -> list[str]:
    """See :meth:`Run.save`."""
    return _active("save()").save(glob_str, *args, **options)


def log_artifact(artifact_or_path: Any, *args: Any, **options: Any) -> Artifact:
    """See :meth:`Run.log_artifact`."""
    return _active("log_artifact()").log_artifact(artifact_or_path, *args, **options)


def log_model(path: Any, *args: Any, **options: Any) -> None:
    """See :meth:`Run.log_model`."""
    _active("log_model()").log_model(path, *args, **options)


def watch(models: Any, *args: Any, **options: Any) -> None:
    """See :meth:`Run.watch`."""
    _active("watch()").watch(models, *args, **options)


def unwatch(models: Any = None) -> None:
    """See :meth:`Run.unwatch`."""
    _active("unwatch()").unwatch(models)


def alert(title: str, text: str, *args: Any, **options: Any) -> None:
    """See :meth:`Run.alert`."""
    _active("alert()").alert(title, text, *args, **options)


def login(*args: Any, **options: Any) -> bool:
    """Nobody to log in to: ``tracker login`` keeps a token for a server."""
    ignored("wandb.login()", "tracker login URL keeps a token for a server")
    return True


def setup(*args: Any, **options: Any) -> None:
    """Nothing to set up."""


def teardown(exit_code: int | None = None) -> None:
    """Finishes the active run."""
    finish(exit_code)


def termlog(string: str = "", *args: Any, **options: Any) -> None:
    """Logs a text."""
    _log.info("%s", string)


def termwarn(string: str, *args: Any, **options: Any) -> None:
    """Logs a warning."""
    _log.warning("%s", string)


def termerror(string: str, *args: Any, **options: Any) -> None:
    """Logs an error."""
    _log.error("%s", string)


def sweep(*args: Any, **options: Any) -> str:
    """Not here: a search of parameters is Optuna's, Hydra's or scikit-learn's."""
    refused("sweep()", "tracker.integrations has Optuna, Hydra and scikit-learn for searches")


def agent(*args: Any, **options: Any) -> None:
    """Not here, as :func:`sweep`."""
    refused("agent()", "tracker.integrations has Optuna, Hydra and scikit-learn for searches")


def controller(*args: Any, **options: Any) -> Any:
    """Not here, as :func:`sweep`."""
    refused("controller()", "tracker.integrations has Optuna, Hydra and scikit-learn for searches")


def use_artifact(*args: Any, **options: Any) -> Any:
    """Not here."""
    refused("use_artifact()", "files of other runs come by tracker artifact get")


def restore(*args: Any, **options: Any) -> Any:
    """Not here."""
    refused("restore()", "files of other runs come by tracker artifact get")


class Api:
    """Not here: ``tracker.open()`` reads what was tracked."""

    def __init__(self, *args: Any, **options: Any) -> None:
        refused("Api()", "tracker.open() reads what was tracked")


class _Plots:
    """``wandb.plot``: charts of a table are kept as the table, others not at all."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def chart(*args: Any, **options: Any) -> Any:
            given = args[0] if args else options.get("table", options.get("data_table"))
            return given if isinstance(given, Table) else Uncarried(f"wandb.plot.{name}()")

        return chart


plot = _Plots()

_UNCARRIED = frozenset({"Graph", "Molecule", "Object3D", "Plotly", "box3d", "EvalTable", "JoinedTable"})


def __getattr__(name: str) -> Any:
    if name in _UNCARRIED:
        return lambda *args, **options: Uncarried(f"wandb.{name}")
    raise AttributeError(f"tracker.compat.wandb has no {name!r}; {errors.GUIDE}")


def _active(call: str) -> Run:
    if run is None:
        raise Error(f"You must call wandb.init() before wandb.{call}")
    return run


def _activate(made: Run) -> Run:
    global run, config, summary, _is_registered  # noqa: PLW0603  (as wandb has them)
    run, config, summary = made, made.config, made.summary
    if not _is_registered:
        # Before the hook by which the run itself is finished: these are called last first.
        getattr(threading, "_register_atexit", atexit.register)(_settle)
        _is_registered = True
    return made


def _deactivate() -> None:
    global run, config, summary
    run, config, summary = None, _Before("config"), _Before("summary")


def _settle() -> None:
    if run is not None and run.tracker_run.is_open:
        run.settle()


_is_registered = False
