"""A run that a library's callback writes to, and which never disturbs the training."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from tracker.run.run import Run
from tracker.run.start import init
from tracker.warning import TrackerWarning

__all__ = ["Attached", "is_number", "warned", "without_raising"]


class Attached:
    """A run that was passed, or that is started when the training begins.

    Args:
        run: a run that is open already. It stays open.
        options: else what :func:`tracker.init` is to be given; what is missing there comes from the
            environment. Such a run is finished with the training.

    Attributes:
        run: the run, once there is one in this process.
    """

    def __init__(self, run: Run | None, options: Mapping[str, Any]) -> None:
        self.run = run
        self._is_passed = run is not None
        self._options = dict(options)

    def begin(self, **defaults: Any) -> Run:
        """The run, started now unless there is one.

        Args:
            defaults: what :func:`tracker.init` is given where the options say nothing.

        Raises:
            TrackerError: it cannot be started.
        """
        if self.run is None:
            self.run = init(**{**defaults, **self._options})
        return self.run

    @contextmanager
    def doing(self, what: str) -> Iterator[Run]:
        """Gives the run, started if need be, and turns whatever goes wrong within into a warning."""
        with without_raising(what):
            yield self.begin()

    def end(self, error: BaseException | None = None) -> None:
        """Finishes the run if it was started here: as an exception says, without one as complete."""
        run = self.run
        if run is None or self._is_passed:
            return
        self.run = None
        with without_raising("finish"):
            run.finish_by(error)


@contextmanager
def without_raising(what: str) -> Iterator[None]:
    """Has a block end at its first error, with a warning, and the training go on."""
    try:
        yield
    except Exception as error:  # whatever it is, it must not end the training
        warned(f"{what} was not logged: {type(error).__name__}: {error}")


def warned(text: str) -> None:
    """Warns, even where warnings are raised: there, nothing happens."""
    with suppress(Exception):
        warnings.warn(text, TrackerWarning, stacklevel=3)


def is_number(value: Any) -> bool:
    """Whether `value` is something that a curve is made of: a number, numpy's and torch's too."""
    if isinstance(value, str | bytes):
        return False
    try:
        float(value)
    except Exception:  # whatever the object's own __float__ raises
        return False
    return True
