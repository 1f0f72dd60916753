"""``SummaryWriter``: one call, and what a script writes for TensorBoard is in a run as well."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any, Self

from tracker.integrations.arrivals import on_arrival
from tracker.integrations.attached import Attached, without_raising
from tracker.integrations.summaries import KEPT, Summaries
from tracker.run.run import Run

__all__ = ["Interception", "intercept"]

WRITERS = {
    "torch.utils.tensorboard.writer": "SummaryWriter",
    "tensorboardX.writer": "SummaryWriter",
    "tensorboard.summary._writer": "Writer",
}
"""Module -> the class in it whose calls are heard. Modules that are imported later are met then."""

_active: list[Interception] = []
_originals: list[tuple[type, str, Any]] = []
_lock = threading.RLock()
_inside = threading.local()


def intercept(run: Run | None = None, **options: Any) -> Interception:
    """Has everything that torch's, tensorboardX's and tensorboard's writers are told logged to a run too.

    It does not matter whether they are imported already, or have been made already. They write what
    they did before, and an error of ours never reaches the script.

    Args:
        run: a run that is open already; it stays open.
        options: else arguments of :func:`tracker.init`.

    Returns:
        Ends it by :meth:`~Interception.close`, or as a context manager.

    Raises:
        TrackerError: a run cannot be started.
    """
    attached = Attached(run, options)
    return Interception(attached, attached.begin())


class Interception:
    """Writers that also write to a run, until it is closed; made by :func:`intercept`."""

    def __init__(self, attached: Attached, run: Run) -> None:
        self.run = run
        self._attached = attached
        self.summaries = Summaries(run)
        with _lock:
            _active.append(self)
            if len(_active) == 1:
                on_arrival(WRITERS, _patch)

    def close(self) -> None:
        """Leaves writers as they were, and finishes the run if it was started here; once is enough."""
        self._close(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close(error)

    def _close(self, error: BaseException | None) -> None:
        with _lock:
            if self in _active:
                _active.remove(self)
            if not _active:
                on_arrival(WRITERS, None)
                _restore()
        self._attached.end(error)


def _patch(module: ModuleType) -> None:
    kind = getattr(module, WRITERS[module.__name__], None)
    if not isinstance(kind, type):
        return
    for name in KEPT:
        original = kind.__dict__.get(name)
        if callable(original):
            _originals.append((kind, name, original))
            setattr(kind, name, _heard(name, original))


def _restore() -> None:
    while _originals:
        kind, name, original = _originals.pop()
        setattr(kind, name, original)


def _heard(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """The method, which once it is done tells the active interceptions of the call.

    Writers call their own methods (``add_hparams`` adds scalars): the outermost call is the one told.
    """

    @functools.wraps(original)
    def heard(writer: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(_inside, "is_so", False):
            return original(writer, *args, **kwargs)
        _inside.is_so = True
        try:
            answer = original(writer, *args, **kwargs)
        finally:
            _inside.is_so = False
        for interception in tuple(_active):
            with without_raising(name):
                interception.summaries.take(name, original, writer, args, kwargs)
        return answer

    return heard
