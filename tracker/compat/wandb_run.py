"""``wandb.run``: a run behind wandb's methods."""

from __future__ import annotations

import glob as globbing
import math
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tracker.compat.wandb_artifact import Artifact, keep_json
from tracker.compat.wandb_config import Config
from tracker.compat.wandb_errors import Error, UsageError, ignored, refused, warn
from tracker.compat.wandb_media import Media, _array
from tracker.compat.wandb_summary import Defined, Metrics, Summary
from tracker.compat.wandb_watch import Watched
from tracker.domain.json_tree import flatten
from tracker.integrations.attached import is_number, without_raising
from tracker.run.run import Run as TrackerRun

__all__ = ["Run"]


class Run:
    """What ``wandb.init()`` gives.

    Points go to the run at once, not when a step is over. A name that is logged twice in one step thus
    has two points there, of which wandb would keep the last.

    Args:
        run: the run itself, also :attr:`tracker_run`.
        about: what was said of it in ``init`` (id, entity, group, job_type, notes, tags).
    """

    def __init__(
        self, run: TrackerRun, about: Mapping[str, Any], *, start: int = 0, may_change: bool = False
    ) -> None:
        self.tracker_run = run
        self.id = str(about.get("id") or run.key.hex[-8:])
        self.entity = about.get("entity") or ""
        self.group = about.get("group") or ""
        self.job_type = about.get("job_type") or ""
        self.notes = about.get("notes")
        self.tags = tuple(about.get("tags") or ())
        self.sweep_id = None
        self.resumed = start > 0
        self.starting_step = start
        self._step = start
        self._metrics = Metrics()
        self._late: list[tuple[str, str]] = []
        self._lock = threading.RLock()
        self.config = Config(self._keep_config, may_change=may_change)
        self.summary = Summary(self._metrics)
        self._watched = Watched(self._histogram)

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.tracker_run.name

    @property
    def project(self) -> str:
        """The project's name."""
        return self.tracker_run.project

    @property
    def path(self) -> str:
        """``project/id``."""
        return f"{self.project}/{self.id}"

    @property
    def step(self) -> int:
        """The step that is logged to next."""
        return self._step

    @property
    def url(self) -> str | None:
        """There is no page of one run yet."""
        return None

    @property
    def dir(self) -> str:
        """Where a script may put files: the working folder."""
        return str(Path.cwd())

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **more: Any
    ) -> None:
        """Takes values of the current step, or of `step`, which may not lie behind it.

        A step is over when `commit` is true, as it is where neither is given, or with a later `step`.

        Raises:
            TypeError: `data` is no mapping of text, as wandb has it.
            Error: the run is finished, as wandb has it.
        """
        if not isinstance(data, Mapping):
            raise TypeError("wandb.log must be passed a dictionary")
        if any(not isinstance(key, str) for key in data):
            raise TypeError("Key values passed to `wandb.log` must be strings.")
        if not self.tracker_run.is_open:
            raise Error(f"Run ({self.id}) is finished. The call to `log` will be ignored.")
        with self._lock, without_raising("log"):
            if step is not None:
                if step < self._step:
                    warn(f"step {step} lies behind the current one, {self._step}: it was left out")
                    return
                self._step = step
            self._take(flatten(data))
            if commit or (commit is None and step is None):
                self._step += 1

    def define_metric(
        self,
        name: str,
        step_metric: Any = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        goal: str | None = None,
        overwrite: bool | None = None,
    ) -> Defined:
        """Says what a name's summary and x-axis are: ``min max mean last best first copy none``.

        Raises:
            UsageError: a kind of summary or a pattern that there is not.
        """
        axis = getattr(step_metric, "name", step_metric)
        return self._metrics.define(name, axis, step_sync, summary, goal)

    def save(
        self, glob_str: Any = None, base_path: Any = None, policy: str = "live", glob: bool = True
    ) -> list[str]:
        """Keeps files: now, at the end, or (``live``) both times."""
        if policy not in ("now", "live", "end"):
            raise UsageError('Only "live", "end" and "now" policies are currently supported.')
        if glob_str is None:
            return []
        pattern = os.fspath(glob_str)
        found = sorted(globbing.glob(pattern)) if glob else [pattern]  # noqa: PTH207  (of any root)
        base = Path(base_path) if base_path is not None else Path(_plain_part(pattern))
        files = [path for path in found if Path(path).is_file()]
        for path in files:
            name = os.path.relpath(path, base)
            name = Path(path).name if name.startswith("..") else Path(name).as_posix()
            if policy != "end":
                self._keep_file(path, name)
            if policy != "now":
                self._late.append((path, name))
        return files

    def log_artifact(
        self, artifact_or_path: Any, name: str | None = None, type: str | None = None,
        aliases: list[str] | None = None, tags: Any = None,
    ) -> Artifact:  # fmt: skip
        """Keeps the files of an artifact, or of a path."""
        artifact = artifact_or_path
        if not isinstance(artifact, Artifact):
            path = Path(artifact_or_path)
            artifact = Artifact(name or f"run-{self.id}-{path.name}", type or "unspecified")
            (artifact.add_dir if path.is_dir() else artifact.add_file)(path)
        artifact.aliases = [*artifact.aliases, *(aliases or [])]
        with without_raising(f"artifact {artifact.name}"):
            artifact.keep(self.tracker_run)
        return artifact

    def log_model(self, path: Any, name: str | None = None, aliases: list[str] | None = None) -> None:
        """Keeps a model's files."""
        self.log_artifact(path, name, "model", aliases)

    def log_code(self, *args: Any, **more: Any) -> None:
        """The code is kept anyway, with a run's snapshot."""
        ignored("wandb.Run.log_code()", "the code that runs is captured when a run starts")

    def watch(
        self, models: Any, criterion: Any = None, log: str | None = "gradients", log_freq: int = 1000,
        idx: int | None = None, log_graph: bool = False,
    ) -> None:  # fmt: skip
        """Keeps histograms of gradients and parameters, every `log_freq` backward passes."""
        if log_graph:
            ignored("wandb.watch(log_graph=)")
        with without_raising("watch"):
            self._watched.watch(models, log, log_freq)

    def unwatch(self, models: Any = None) -> None:
        """Ends watching."""
        self._watched.unwatch()

    def alert(self, title: str, text: str, level: Any = None, wait_duration: Any = None) -> None:
        """Keeps a note; nobody is sent a message."""
        ignored("sending of wandb.alert()", "what it says is kept as a note")
        word = getattr(level, "value", level) or "INFO"
        with without_raising("alert"):
            self.tracker_run.note(f"{word}: {title}\n{text}")

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """Ends the run: as complete, or with another `exit_code` than 0 as failed."""
        if not self.tracker_run.is_open:
            return
        self.settle()
        if exit_code:
            self.tracker_run.finish("failed", reason=f"exit code {exit_code}")
        else:
            self.tracker_run.finish()

    def settle(self) -> None:
        """Keeps what is kept at the end: the summary as final values, and files."""
        with self._lock, without_raising("the summary"):
            self._watched.unwatch()
            late, self._late = self._late, []
            for path, name in late:
                self._keep_file(path, name)
            other: dict[str, Any] = {}
            for name, value in flatten(dict(self.summary.items())).items():
                if not is_number(value):
                    other[name] = value
                elif math.isfinite(float(value)):
                    self.tracker_run.metric(name, value)
            if other:
                keep_json(self.tracker_run, "summary.json", other)

    def use_artifact(self, *args: Any, **more: Any) -> Any:
        """Not here."""
        refused("Run.use_artifact()", "files of other runs come by tracker artifact get")

    def link_artifact(self, *args: Any, **more: Any) -> Any:
        """Not here."""
        refused("Run.link_artifact()")

    def restore(self, *args: Any, **more: Any) -> Any:
        """Not here."""
        refused("Run.restore()", "files of other runs come by tracker artifact get")

    def mark_preempting(self) -> None:
        """Nothing to do: preemption is recognised by its signal."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.tracker_run.is_open:
            self.settle()
            self.tracker_run.finish_by(error)

    def _take(self, values: Mapping[str, Any]) -> None:
        numbers = {name: value for name, value in values.items() if is_number(value)}
        for name in list(numbers):
            made = self._metrics.of(name)
            axis = made.step_metric if made is not None and made.step_sync else None
            if axis and axis not in numbers and axis in self._metrics.seen:
                numbers[axis] = self._metrics.seen[axis].last
        for name, value in numbers.items():
            self._metrics.add(name, float(value))
        self.summary._overtake(numbers)
        if numbers:
            self.tracker_run.log(numbers, step=self._step)
        for name in values.keys() - numbers.keys():
            with without_raising(name):
                self._take_other(name, values[name])

    def _take_other(self, name: str, value: Any) -> None:
        if isinstance(value, Media):
            value.keep(self.tracker_run, name, self._step)
        elif isinstance(value, list | tuple) and value and all(isinstance(each, Media) for each in value):
            for number, each in enumerate(value):
                each.keep(self.tracker_run, f"{name}/{number}", self._step)
        elif isinstance(value, str):
            self.tracker_run.text(name, value, step=self._step)
        elif isinstance(value, Artifact):
            self.log_artifact(value)
        elif "PIL" in sys.modules and isinstance(value, sys.modules["PIL"].Image.Image):
            self.tracker_run.image(name, value, step=self._step)
        elif type(value).__module__.startswith("matplotlib"):
            self.tracker_run.image(name, getattr(value, "figure", value), step=self._step)
        elif value is not None:
            ignored(
                f"{type(value).__name__} values in wandb.log()", f"{name} is neither number, text nor media"
            )

    def _keep_config(self, changed: Mapping[str, Any]) -> None:
        with without_raising("config"):
            self.tracker_run.params(changed)

    def _keep_file(self, path: str, name: str) -> None:
        with without_raising(path):
            self.tracker_run.file(path, name=name)

    def _histogram(self, name: str, values: Any) -> None:
        self.tracker_run.histogram(name, _array(values).ravel(), step=self._step)


def _plain_part(pattern: str) -> str:
    """The folder of a pattern, up to where it begins to be one."""
    folder = Path(pattern).parent
    while globbing.has_magic(str(folder)):
        folder = folder.parent
    return str(folder)
