"""Keras 3: ``model.fit(..., callbacks=[TrackerCallback(project="p")])``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.integrations.attached import Attached, is_number
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["TrackerCallback"]

_keras = needed("keras", "keras", "tracker.integrations.keras")


class TrackerCallback(_keras.callbacks.Callback):  # type: ignore[name-defined,misc]
    """Has ``fit`` log to a run: each epoch's logs at the epoch's number, and the learning rate.

    Args:
        run: a run that is open already; it stays open.
        log_batches: also logs every so many batches, as ``batch/NAME`` at the number of the batch; 0 =
            none.
        options: else arguments of :func:`tracker.init`.
    """

    def __init__(self, run: Run | None = None, *, log_batches: int = 0, **options: Any) -> None:
        super().__init__()
        self._attached = Attached(run, options)
        self._log_batches = log_batches
        self._batch = 0
        self._last: dict[str, float] = {}
        self._epoch = 0

    @property
    def run(self) -> Run | None:
        """The run, from the beginning of the training on."""
        return self._attached.run

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts the run and keeps how the model is trained."""
        self._attached.begin()
        self._batch = 0
        with self._attached.doing("the model's configuration") as run:
            kept = {name: value for name, value in (self.params or {}).items() if name != "verbose"}
            run.params(kept)
            optimizer = getattr(self.model, "optimizer", None)
            if optimizer is not None:
                run.params({"optimizer": _plain(optimizer.get_config())})
            run.params({"model": {"name": self.model.name, "parameters": _size(self.model)}})

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keeps a batch's logs where that is wanted."""
        self._batch += 1
        if self._log_batches and self._batch % self._log_batches == 0:
            with self._attached.doing("a batch") as run:
                run.log({f"batch/{name}": value for name, value in (logs or {}).items()}, step=self._batch)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keeps an epoch's logs."""
        self._epoch = epoch
        with self._attached.doing("an epoch") as run:
            self._last = {name: value for name, value in (logs or {}).items() if is_number(value)}
            rate = _rate(self.model)
            more = {} if rate is None or "learning_rate" in self._last else {"learning_rate": rate}
            run.log({**self._last, **more}, step=epoch)
            epochs = (self.params or {}).get("epochs")
            if epochs:
                run.progress(100 * (epoch + 1) / epochs)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Keeps the last epoch's results as final values, and finishes the run if it was started here."""
        with self._attached.doing("the last epoch") as run:
            for name, value in self._last.items():
                run.metric(name, value, step=self._epoch)
        self._attached.end()


def _rate(model: Any) -> float | None:
    rate: Any = getattr(getattr(model, "optimizer", None), "learning_rate", None)
    return float(rate) if is_number(rate) else None


def _size(model: Any) -> int | None:
    return int(model.count_params()) if model.built else None


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what is no setting, such as a schedule's object."""
    return {
        name: value for name, value in config.items()
        if value is None or isinstance(value, str | bool | int | float | dict)
    }  # fmt: skip
