"""Lightning: ``Trainer(logger=TrackerLogger("p"))``, of ``lightning`` and of ``pytorch_lightning``."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.integrations.attached import Attached
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["TrackerLogger"]

# Both packages hold the same code, and a trainer takes only loggers of its own: the one that the script
# imported counts, since it did so before it came here.
_is_old = "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules
_home = "pytorch_lightning" if _is_old else "lightning.pytorch"
_package = "pytorch-lightning" if _is_old else "lightning"
_loggers = needed(f"{_home}.loggers.logger", _package, "tracker.integrations.lightning")
_zero = needed(f"{_home}.utilities.rank_zero", _package, "tracker.integrations.lightning")


class TrackerLogger(_loggers.Logger):  # type: ignore[name-defined,misc]
    """A Lightning logger that writes to a run; ``self.logger.experiment`` is the run.

    Args:
        project: the project's name; without it, the environment's.
        run: a run that is open already; it stays open after the training.
        prefix: stands before every metric's name, with a ``/``.
        log_model: whether checkpoints are kept as artifacts when the training ends, and with ``"all"``
            each when it is written.
        save_dir: the folder where Lightning keeps checkpoints; by default its own choice.
        options: further arguments of :func:`tracker.init`.
    """

    def __init__(
        self,
        project: str | None = None,
        *,
        run: Run | None = None,
        prefix: str = "",
        log_model: bool | str = False,
        save_dir: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        given = options if project is None else {**options, "project": project}
        self._project = project
        self._attached = Attached(run, given)
        self._prefix = prefix
        self._log_model = log_model
        self._save_dir = save_dir
        self._checkpoints: Any = None
        self._kept: set[str] = set()

    @property
    @_loggers.rank_zero_experiment  # type: ignore[untyped-decorator]
    def experiment(self) -> Run:
        """The run, started when it is first asked for; on other ranks something that does nothing."""
        return self._attached.begin()

    @property
    def name(self) -> str | None:
        """The project's name."""
        run = self._attached.run
        return self._project if run is None else getattr(run, "project", self._project)

    @property
    def version(self) -> str | None:
        """The run's name, once it is started."""
        run = self._attached.run
        return None if run is None else run.name

    @property
    def save_dir(self) -> str | None:
        """Where checkpoints go, if somebody said so."""
        return None if self._save_dir is None else os.fspath(self._save_dir)

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Keeps what the modules log."""
        with self._attached.doing("metrics") as run:
            before = f"{self._prefix}/" if self._prefix else ""
            run.log({f"{before}{name}": value for name, value in metrics.items()}, step=step)

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Keeps what ``save_hyperparameters()`` found, as parameters."""
        with self._attached.doing("hyperparameters") as run:
            run.params(vars(params) if isinstance(params, Namespace) else params or {})

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def log_image(self, key: str, images: list[Any], step: int | None = None, **kwargs: Any) -> None:
        """Keeps images, with ``caption=[...]`` if there are captions."""
        with self._attached.doing("images") as run:
            captions = kwargs.get("caption") or [""] * len(images)
            for number, (image, caption) in enumerate(zip(images, captions, strict=False)):
                name = key if len(images) == 1 else f"{key}/{number}"
                run.image(name, image, step=step, caption=caption)

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def log_table(
        self, key: str, columns: list[str] | None = None, data: Any = None, step: int | None = None
    ) -> None:
        """Keeps a table."""
        with self._attached.doing("a table") as run:
            run.table(key, data or [], columns=columns, step=step)

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def log_text(self, key: str, text: str, step: int | None = None) -> None:
        """Keeps a text."""
        with self._attached.doing("a text") as run:
            run.text(key, text, step=step)

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        """Remembers where checkpoints are, and keeps each at once if that is wanted."""
        self._checkpoints = checkpoint_callback
        if self._log_model == "all":
            self._keep_checkpoints()

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def finalize(self, status: str) -> None:
        """Ends the run as failed when a trainer failed.

        One that ended well may be followed by another (``fit``, then ``test``), so the run stays open
        until :meth:`finish`, or until the interpreter is left.
        """
        if self._attached.run is None:
            return
        if self._log_model:
            self._keep_checkpoints()
        if status == "success":
            self._keep_best()
            return
        # It is called where the trainer handles what ended it.
        self._attached.end(sys.exc_info()[1] or RuntimeError(f"the trainer ended as {status}"))

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def finish(self) -> None:
        """Finishes the run if it was started here."""
        self._attached.end()

    @_zero.rank_zero_only  # type: ignore[untyped-decorator]
    def _keep_checkpoints(self) -> None:
        with self._attached.doing("checkpoints") as run:
            found = getattr(self._checkpoints, "best_k_models", None) or {}
            paths = {*found, getattr(self._checkpoints, "best_model_path", "")} - {""} - self._kept
            for path in sorted(paths):
                keep = run.folder if Path(path).is_dir() else run.file
                keep(path, name=f"checkpoints/{Path(path).name}")
                self._kept.add(path)

    def _keep_best(self) -> None:
        with self._attached.doing("the best score") as run:
            score = getattr(self._checkpoints, "best_model_score", None)
            monitor = getattr(self._checkpoints, "monitor", None)
            if score is not None and monitor:
                run.metric(monitor, score)
