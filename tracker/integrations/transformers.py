"""Hugging Face transformers: ``Trainer(..., callbacks=[TrackerCallback(project="p")])``."""

from __future__ import annotations

from typing import Any

from tracker.integrations.attached import Attached, is_number
from tracker.integrations.needed import needed
from tracker.run.run import Run

__all__ = ["TrackerCallback"]

_transformers = needed("transformers", "transformers", "tracker.integrations.transformers")


class TrackerCallback(_transformers.TrainerCallback):  # type: ignore[name-defined,misc]
    """Has a ``Trainer`` log to a run: arguments, the model's configuration, and what it logs.

    Names are those of the other integrations of the library: what the trainer calls ``loss`` is
    ``train/loss``, ``eval_loss`` is ``eval/loss``. Only the main process logs.

    Args:
        run: a run that is open already; it stays open.
        options: else arguments of :func:`tracker.init`; the name is ``TrainingArguments.run_name``
            unless there is one.
    """

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        self._attached = Attached(run, options)
        self._is_begun = False

    @property
    def run(self) -> Run | None:
        """The run, from the beginning of the training on, in the main process."""
        return self._attached.run

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Starts the run and keeps what the training is made with."""
        if not state.is_world_process_zero:
            return
        name = getattr(args, "run_name", None)
        given = {} if name in (None, getattr(args, "output_dir", None)) else {"name": name}
        self._attached.begin(**given)
        self._is_begun = True
        with self._attached.doing("the training's arguments") as run:
            run.params(_arguments(args))
            config = getattr(model, "config", None)
            if config is not None:
                run.params({"model": config if isinstance(config, dict) else config.to_dict()})

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Keeps what the trainer logs, at its step."""
        if not self._is_begun or not state.is_world_process_zero:
            return
        with self._attached.doing("log") as run:
            numbers = {name: value for name, value in (logs or {}).items() if is_number(value)}
            run.log({_renamed(name): value for name, value in numbers.items()}, step=state.global_step)
            if state.max_steps:
                run.progress(100 * state.global_step / state.max_steps)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Keeps the last evaluation's results as final values."""
        if not self._is_begun or not state.is_world_process_zero:
            return
        with self._attached.doing("evaluation") as run:
            for name, value in (metrics or {}).items():
                if is_number(value) and name != "epoch":
                    run.metric(_renamed(name), value, step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Finishes the run if it was started here."""
        if not self._is_begun or not state.is_world_process_zero:
            return
        self._is_begun = False
        with self._attached.doing("the best result") as run:
            if is_number(state.best_metric):
                run.metric("best_metric", state.best_metric, step=state.best_global_step or 0)
        self._attached.end()


def _arguments(args: Any) -> dict[str, Any]:
    return dict(args.to_sanitized_dict())


def _renamed(name: str) -> str:
    """As ``rewrite_logs`` of transformers.integrations names them."""
    for part in ("eval", "test"):
        if name.startswith(f"{part}_"):
            return f"{part}/{name.removeprefix(f'{part}_')}"
    return f"train/{name}"
