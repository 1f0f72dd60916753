"""A run: one experiment while it is being made."""

from __future__ import annotations

import logging
import operator
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, SupportsFloat

from pydantic_core import PydanticCustomError

from tracker.blocking import Tracker
from tracker.domain.errors import Conflict, Invalid, TrackerError
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import flatten
from tracker.domain.text import storable
from tracker.ports.ids import IdGenerator
from tracker.run import leaving
from tracker.run.buffer import ScalarBuffer

__all__ = ["Run"]

_log = logging.getLogger("tracker.run")


class Run:
    """What a training script writes to; made by :func:`tracker.init`.

    As a context manager it finishes as complete, or as failed when an exception leaves the block.
    A run that is still open when the interpreter exits is finished then: as failed when an uncaught
    exception ended the script, else as complete.

    Args:
        library: where the experiment is kept; the run closes it when it finishes.
        experiment: the started experiment.
        ids: names what it sends.
    """

    def __init__(self, library: Tracker, experiment: Experiment, ids: IdGenerator) -> None:
        self._library = library
        self._experiment = experiment
        self._pid = os.getpid()
        self._step = 0
        self._is_open = True
        self._unsaved = 0
        self._buffer = ScalarBuffer(experiment.id, library.scalars.append, ids)
        leaving.finish_at_exit(self)

    @property
    def id(self) -> ExperimentId:
        """The experiment's id."""
        return self._experiment.id

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self._experiment.name

    @property
    def experiment(self) -> Experiment:
        """The experiment as it was when the run started or, later, finished."""
        return self._experiment

    @property
    def unsaved(self) -> int:
        """After :meth:`finish`: how many points the store did not take."""
        return self._unsaved

    def log(self, values: Mapping[str, Any], *, step: int | None = None) -> None:
        """Takes scalars of one step; a background thread makes them durable within about a second.

        Args:
            values: numbers by name, numpy's too; nested mappings get dotted names. NaN and
                infinities are data.
            step: where on the x-axis; by default one after the last.

        Raises:
            Invalid: something that is no number, or a step that is no 64-bit integer.
            Conflict: the run is finished. A store that fails never raises here.
        """
        self._require_open()
        chosen = _step(self._step if step is None else step)
        numbers = {_name(key): _number(key, value) for key, value in flatten(values).items()}
        self._step = chosen + 1
        if numbers:
            self._buffer.add(chosen, numbers)

    def metric(self, name: str, value: SupportsFloat, *, step: int = 0, label: str | None = None) -> None:
        """Keeps a final value, by which the experiment is judged; durable when it returns."""
        self._require_open()
        number = _number(name, value)
        self._library.metrics.log(self.id, name, number, step=_step(step), label=label)

    def finish(self, status: Status | str = Status.COMPLETE) -> None:
        """Sends what is buffered, sets the status, and lets go of the store; once is enough.

        Points that could not be saved are counted in :attr:`unsaved` and told in the log.

        Raises:
            Invalid: `status` is not one that a run can end with.
        """
        if status not in (Status.COMPLETE, Status.FAILED):
            raise Invalid.field("status", "a run ends as complete or failed", "enum")
        if not self._is_open or self._pid != os.getpid():
            return
        self._is_open = False
        leaving.forget(self)
        self._unsaved = self._buffer.close()
        if self._unsaved:
            _log.warning("%d points of %s were not saved", self._unsaved, self.name)
        ended: dict[str, Any] = {"status": Status(status)}
        if status == Status.COMPLETE:
            ended["progress"] = 100.0
        try:
            self._experiment = self._library.experiments.edit(self.id, **ended)
        except TrackerError as error:
            _log.warning("%s could not be marked as %s: %s", self.name, status, error)
        finally:
            self._library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish(Status.FAILED if kind else Status.COMPLETE)

    def _require_open(self) -> None:
        if self._pid != os.getpid():
            raise Conflict("this run was started before the process forked; start one of its own here")
        if not self._is_open:
            raise Conflict(f"run {self.name} is finished; tracker.init() starts another one")


def _name(key: object) -> str:
    if not isinstance(key, str) or not 1 <= len(key) <= 255:
        raise Invalid.field("name", f"{key!r} is not a name of 1 to 255 characters")
    try:
        return storable(key)
    except PydanticCustomError as error:  # found here, it costs this call and not its whole batch
        raise Invalid.field("name", error.message()) from error


def _number(name: str, value: Any) -> float:
    if isinstance(value, str | bytes):  # float() would read these, but nobody measures text
        raise Invalid.field(str(name), "must be a number, not text")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid.field(str(name), f"must be a number, not {type(value).__name__}") from error


def _step(value: Any) -> int:
    try:
        step = operator.index(value)
    except TypeError as error:
        raise Invalid.field("step", "must be an integer") from error
    if not -(2**63) <= step < 2**63:
        raise Invalid.field("step", "must fit into 64 bits")
    return step
