"""What is told to a ``SummaryWriter``, as calls of a run."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from tracker.integrations.attached import is_number
from tracker.run.run import Run

__all__ = ["KEPT", "Summaries"]

_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "test", "eval", "dev"})


class Summaries:
    """Passes on to a run what writers are told.

    Writers of several folders may use one tag. Names from a folder that is called like a part of the
    data (``train``, ``val``, ...), and from any folder but the first, begin with the folder's name.

    Args:
        run: where everything goes.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._prefixes: dict[str, str] = {}
        self._next: Counter[str] = Counter()

    def take(self, method: str, original: Callable[..., Any], writer: Any, args: Any, kwargs: Any) -> None:
        """Passes on one call.

        Args:
            method: the writer's method.
            original: the method itself, whose signature tells what the arguments are.
            writer: whose it is.
            args: of the call.
            kwargs: of the call.
        """
        bound = inspect.signature(original).bind(writer, *args, **kwargs)
        bound.apply_defaults()
        told = dict(bound.arguments)
        KEPT[method](self, self._prefix(writer), told)

    def _prefix(self, writer: Any) -> str:
        folder = _folder(writer)
        if folder not in self._prefixes:
            name = PurePath(folder).name
            is_named = name.lower() in _SPLITS or (bool(self._prefixes) and bool(name))
            self._prefixes[folder] = f"{name}/" if is_named else ""
        return self._prefixes[folder]

    def _step(self, told: Mapping[str, Any], tag: str) -> int:
        """The step that was given, or else the one after the last of the tag."""
        given = told.get("global_step", told.get("step"))
        step = self._next[tag] if given is None else int(given)
        self._next[tag] = step + 1
        return step

    def _scalar(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        value = told.get("scalar_value", told.get("data"))
        if is_number(value):
            self._run.log({tag: value}, step=self._step(told, tag))

    def _scalars(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["main_tag"]
        found = {f"{tag}/{name}": value for name, value in told["tag_scalar_dict"].items()}
        numbers = {name: value for name, value in found.items() if is_number(value)}
        self._run.log(numbers, step=self._step(told, tag))

    def _hparams(self, prefix: str, told: Mapping[str, Any]) -> None:
        self._run.params(dict(told["hparam_dict"]))
        step = told.get("global_step") or 0
        for name, value in told["metric_dict"].items():
            self._run.metric(name, value, step=step)

    def _text(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        self._run.text(tag, told["text_string"], step=self._step(told, tag))

    def _image(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        image = _rows_first(told["img_tensor"], told.get("dataformats") or "CHW")
        self._run.image(tag, image, step=self._step(told, tag))

    def _images(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        step = self._step(told, tag)
        formats = told.get("dataformats") or "NCHW"
        images = _array(told["img_tensor"])
        if "N" in formats:
            first = formats.index("N")
            parts = [images.take(number, axis=first) for number in range(images.shape[first])]
        else:
            parts = [images]
        for number, part in enumerate(parts):
            image = _rows_first(part, formats.replace("N", ""))
            self._run.image(f"{tag}/{number}", image, step=step)

    def _figure(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        figures = told["figure"] if isinstance(told["figure"], list) else [told["figure"]]
        step = self._step(told, tag)
        for number, figure in enumerate(figures):
            self._run.image(tag if len(figures) == 1 else f"{tag}/{number}", figure, step=step)

    def _histogram(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        self._run.histogram(tag, _array(told["values"]).ravel(), step=self._step(told, tag))

    def _audio(self, prefix: str, told: Mapping[str, Any]) -> None:
        tag = prefix + told["tag"]
        samples = _array(told["snd_tensor"]).squeeze()
        self._run.audio(tag, samples, told["sample_rate"], step=self._step(told, tag))


KEPT: Mapping[str, Callable[[Summaries, str, Mapping[str, Any]], None]] = {
    "add_scalar": Summaries._scalar,
    "add_scalars": Summaries._scalars,
    "add_hparams": Summaries._hparams,
    "add_text": Summaries._text,
    "add_image": Summaries._image,
    "add_images": Summaries._images,
    "add_figure": Summaries._figure,
    "add_histogram": Summaries._histogram,
    "add_audio": Summaries._audio,
}
"""A writer's method -> what is made of its call. Others are left alone."""


def _folder(writer: Any) -> str:
    found = getattr(writer, "log_dir", None) or getattr(writer, "logdir", None) or ""
    return os.fspath(found) if isinstance(found, str | os.PathLike) else ""


def _array(value: Any) -> Any:
    """As a numpy array, without importing what it is of."""
    import numpy as np  # noqa: PLC0415

    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
        value = value.numpy()
    return np.asarray(value)


def _rows_first(image: Any, formats: str) -> Any:
    """An image of any order of axes as rows x columns (x channels)."""
    array = _array(image)
    order = [formats.upper().index(axis) for axis in "HWC" if axis in formats.upper()]
    array = array.transpose(order)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
