"""What ``wandb.log`` takes beside numbers: images, tables, histograms, sounds, pages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.compat.wandb_errors import UsageError, ignored

if TYPE_CHECKING:
    from tracker.run.run import Run

__all__ = ["Audio", "Histogram", "Html", "Image", "Media", "Table", "Uncarried", "Video"]


class Media:
    """Something that is kept as an artifact of one step."""

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep it."""
        raise NotImplementedError


class Image(Media):
    """An image: of a PIL image, an array, a tensor of torch, a figure of matplotlib, or a file."""

    def __init__(
        self, data_or_path: Any, mode: str | None = None, caption: str | None = None, **more: Any
    ) -> None:
        for name, value in more.items():
            if value is not None:
                ignored(f"wandb.Image({name}=)")
        if mode is not None:
            ignored("wandb.Image(mode=)", "the image's own mode counts")
        self._data = data_or_path
        self._caption = caption or ""

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep it."""
        run.image(name, _rows_first(self._data), step=step, caption=self._caption)


class Table(Media):
    """Rows of columns."""

    def __init__(
        self, columns: Sequence[Any] | None = None, data: Any = None, rows: Any = None,
        dataframe: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        for name in more:
            ignored(f"wandb.Table({name}=)")
        if hasattr(data, "to_numpy"):
            data, dataframe = None, data
        if dataframe is not None:
            columns, data = list(dataframe.columns), dataframe.to_numpy().tolist()
        self.columns = list(columns) if columns is not None else ["Input", "Output", "Expected"]
        self.data = [list(row) for row in (data if data is not None else rows or [])]

    def add_data(self, *data: Any) -> None:
        """Adds a row.

        Raises:
            UsageError: it has not one value for each column.
        """
        if len(data) != len(self.columns):
            raise UsageError(
                f"This table expects {len(self.columns)} columns: {self.columns}, found {len(data)}"
            )
        self.data.append(list(data))

    def add_column(self, name: str, data: Sequence[Any]) -> None:
        """Adds a column with its values.

        Raises:
            UsageError: they are not one for each row.
        """
        if self.data and len(data) != len(self.data):
            raise UsageError(f"Expected length {len(self.data)}, found {len(data)}")
        rows = self.data or [[] for _ in data]
        self.data = [[*row, value] for row, value in zip(rows, data, strict=True)]
        self.columns = [*(self.columns if rows[0][:-1] or self.columns else []), name]

    def get_column(self, name: str) -> list[Any]:
        """The values of a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.data]

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep it; an image in it is kept beside it, and named there."""
        rows = []
        for number, row in enumerate(self.data):
            kept = []
            for column, value in zip(self.columns, row, strict=False):
                if isinstance(value, Media):
                    path = f"{name}/{column}/{number}"
                    value.keep(run, path, step)
                    kept.append(path)
                else:
                    kept.append(value)
            rows.append(kept)
        run.table(name, rows, columns=[str(column) for column in self.columns], step=step)


class Histogram(Media):
    """How values are spread: from the values, or as numpy counted them."""

    def __init__(self, sequence: Any = None, np_histogram: Any = None, num_bins: int = 64) -> None:
        if sequence is None and np_histogram is None:
            raise UsageError("Must specify a sequence or a np_histogram")
        self._sequence = sequence
        self._counted = np_histogram
        self._bins = num_bins

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep it."""
        if self._counted is None:
            run.histogram(name, _array(self._sequence).ravel(), bins=self._bins, step=step)
            return
        counts, edges = (_array(part).tolist() for part in self._counted[:2])
        run.histogram(name, counts=counts, edges=edges, step=step)


class Audio(Media):
    """A sound: samples with their rate, or a file."""

    def __init__(self, data_or_path: Any, sample_rate: int | None = None, caption: str | None = None) -> None:
        if not isinstance(data_or_path, str | Path) and sample_rate is None:
            raise UsageError(
                'Argument "sample_rate" is required when instantiating wandb.Audio with raw data.'
            )
        self._data = data_or_path
        self._rate = sample_rate
        self._caption = caption or ""

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep it."""
        data = self._data if isinstance(self._data, str | Path) else _array(self._data)
        run.audio(name, data, self._rate, step=step, caption=self._caption)


class Html(Media):
    """A page, as text, or from a file."""

    def __init__(self, data: Any, inject: bool = True, data_is_not_path: bool = False) -> None:
        if hasattr(data, "read"):
            data = data.read()
        elif isinstance(data, Path) or (not data_is_not_path and str(data).endswith(".html")):
            data = Path(data).read_text(encoding="utf-8")
        self._text = str(data)

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep it as text."""
        run.text(name, self._text, step=step)


class Video(Media):
    """A video in a file; frames as an array are not carried."""

    def __init__(self, data_or_path: Any, **more: Any) -> None:
        self._data = data_or_path

    def keep(self, run: Run, name: str, step: int) -> None:
        """Has `run` keep the file."""
        if isinstance(self._data, str | Path):
            run.file(self._data, name=_step_name(name, step, self._data), kind="video")
        else:
            ignored("wandb.Video of an array", "write it to a file, and give its path")


class Uncarried(Media):
    """Anything else that wandb can log: it is made and logged without an error, and not kept."""

    def __init__(self, what: str) -> None:
        self._what = what

    def keep(self, run: Run, name: str, step: int) -> None:
        """Warns, once."""
        ignored(self._what, "there is nothing here to keep it in")


def _step_name(name: str, step: int, path: str | Path) -> str:
    return f"{name}/{step}{Path(path).suffix}"


def _array(value: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def _rows_first(image: Any) -> Any:
    """As wandb has it, a tensor of torch is channels x rows x columns; everything else is left alone."""
    if not hasattr(image, "detach"):
        return image if not isinstance(image, io.IOBase) else image.read()
    array = _array(image)
    if array.ndim == 3:
        array = array.transpose(1, 2, 0)
        array = array[:, :, 0] if array.shape[2] == 1 else array
    return array
