"""What an inference leaves: written row by row into files, so that memory does not grow with rows."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Self

from tracker.domain.evaluation.datasets.rows import Columns, Row
from tracker.domain.evaluation.inference_tally import InferenceTally
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.results import NOT_DONE

__all__ = ["ResultFiles"]

_PIECE = 2**20
_SERIES = ("predictions", "reasoning", "errors", "examples", "ground_truth", "inference_metrics")
_REASONS = 1000


class ResultFiles:
    """The result of an inference, and the dataset made of it; as a context manager it goes with its files.

    The result is the document of :func:`tracker.domain.evaluation.results.inference_result`.

    Args:
        columns: which columns of the dataset play which part.
        output_field: the column for the answers.
        with_dataset: whether a dataset is made.
    """

    def __init__(self, columns: Columns, output_field: str, *, with_dataset: bool) -> None:
        self.tally = InferenceTally()
        self._columns = columns
        self._output_field = output_field
        self._stack = ExitStack()
        self._series: dict[str, IO[bytes]] = {name: self._file() for name in _SERIES}
        self._dataset = self._file() if with_dataset else None
        self._has_truths = False
        self._reasons: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Removes the files."""
        self._stack.close()

    def add(self, row: Row, outcome: RowOutcome | None) -> None:
        """The next row, and what came of it."""
        error = NOT_DONE if outcome is None else outcome.error
        prediction = None if outcome is None else outcome.prediction
        parts = {
            "predictions": prediction,
            "reasoning": None if outcome is None else outcome.reasoning,
            "errors": error,
            "examples": row.example,
            "ground_truth": row.ground_truth,
            "inference_metrics": self.tally.add(outcome),
        }
        for name, value in parts.items():
            self._series[name].write(_json(value) + b",")
        self._has_truths = self._has_truths or row.ground_truth is not None
        if error is not None and (error in self._reasons or len(self._reasons) < _REASONS):
            self._reasons[error] += 1
        if self._dataset is not None:
            values = row.answered(self._columns, self._output_field, prediction)
            self._dataset.write(_json(values) + b"\n")

    def commonest_reason(self) -> str:
        """Why most rows have no answer."""
        return max(self._reasons, key=self._reasons.__getitem__, default=NOT_DONE)

    async def result(self, *, model: str, parameters: Mapping[str, Any]) -> AsyncIterator[bytes]:
        """The document, in pieces.

        Args:
            model: that answered.
            parameters: of the job.
        """
        yield b'{"metrics":' + _json(self.tally.averages()) + b',"artifacts":{'
        for name, file in self._series.items():
            yield _json(name) + b":"
            if name == "ground_truth" and not self._has_truths:
                yield b"null,"
                continue
            yield b"["
            async for piece in _pieces(file, leave_out=1):
                yield piece
            yield b"],"
        rest = {"model": model, "inference_time": self.tally.seconds(), "cost": self.tally.cost()}
        yield _json(rest)[1:] + b',"parameters":' + _json(parameters) + b"}"

    async def dataset(self) -> AsyncIterator[bytes]:
        """The rows with all their columns and the answers, as JSON Lines."""
        if self._dataset is not None:
            async for piece in _pieces(self._dataset, leave_out=0):
                yield piece

    def _file(self) -> IO[bytes]:
        return self._stack.enter_context(tempfile.TemporaryFile(prefix="tracker-result-"))


async def _pieces(file: IO[bytes], *, leave_out: int) -> AsyncIterator[bytes]:
    """All of a file but its last bytes: the comma after the last value."""
    left = await asyncio.to_thread(_rewound, file) - leave_out
    while left > 0:
        piece = await asyncio.to_thread(file.read, min(_PIECE, left))
        left -= len(piece)
        yield piece


def _rewound(file: IO[bytes]) -> int:
    """Its length; it is read from its start then."""
    length = file.seek(0, 2)
    file.seek(0)
    return length


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode()
