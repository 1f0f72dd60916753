"""``wandb.watch``: how a model's gradients and parameters are spread, every so many batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracker.compat.wandb_errors import ignored
from tracker.integrations.attached import without_raising

__all__ = ["Watched"]


class Watched:
    """The models that are watched.

    Args:
        log: takes a name and the values of a histogram.
    """

    def __init__(self, log: Callable[[str, Any], None]) -> None:
        self._log = log
        self._handles: list[Any] = []

    def watch(self, models: Any, log: str | None, log_freq: int) -> None:
        """Begins with a model of torch, or several."""
        if log is None:
            return
        for number, model in enumerate(models if isinstance(models, list | tuple) else [models]):
            if not hasattr(model, "named_parameters"):
                ignored(f"wandb.watch({type(model).__name__})", "it is no model of torch")
                continue
            before = "" if number == 0 else f"graph_{number}"
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    self._hook(f"{before}{name}", parameter, log, max(1, log_freq))

    def unwatch(self) -> None:
        """Ends with all of them."""
        for handle in self._handles:
            with without_raising("unwatch"):
                handle.remove()
        self._handles.clear()

    def _hook(self, name: str, parameter: Any, log: str, log_freq: int) -> None:
        calls = 0

        def hear(gradient: Any) -> None:
            nonlocal calls
            if calls % log_freq == 0:
                with without_raising(f"the gradient of {name}"):
                    if log in ("gradients", "all"):
                        self._log(f"gradients/{name}", gradient)
                    if log in ("parameters", "all"):
                        self._log(f"parameters/{name}", parameter)
            calls += 1

        self._handles.append(parameter.register_hook(hear))
