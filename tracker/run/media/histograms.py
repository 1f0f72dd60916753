"""How values are spread: counts between edges."""

from __future__ import annotations

import json
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.domain.errors import Invalid
from tracker.run.media.arrays import array_of
from tracker.run.media.encoding import Encoded, Tell

__all__ = ["encoded_histogram"]

MOST_BINS = 10_000

Bins = tuple[NDArray[np.int64], NDArray[np.float64]]


def encoded_histogram(
    values: Any = None, *, bins: Any = 64, counts: Any = None, edges: Any = None, tell: Tell
) -> Encoded:
    """Counts between edges, as JSON: ``counts`` (n) of ``edges`` (n + 1), and apart from them ``nan``,
    ``negativeInfinity``, ``infinity``, ``below`` and ``above`` the edges.

    A bin has its left edge and not its right one, but for the last, which has both, as numpy has it.

    Args:
        values: numbers of any shape; or nothing, where `counts` and `edges` are given.
        bins: how many bins from the smallest to the largest finite value, or the ascending edges of bins.
        counts: of a histogram that is made already, one a bin, not negative.
        edges: its edges, one more.
        tell: takes what was odd.

    Raises:
        Invalid: no numbers, no such number of bins, edges that do not ascend, or counts that do not fit them.
    """
    if counts is not None or edges is not None:
        if values is not None:
            raise Invalid.field("values", "give either values, or counts and edges")
        bars, ends = _given(counts, edges)
        return _encoded(bars, ends, {})
    array = array_of(values, "values").ravel()
    numbers = array.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    apart: dict[str, float] = {
        "nan": int(np.isnan(numbers).sum()),
        "negativeInfinity": int(np.isneginf(numbers).sum()),
        "infinity": int(np.isposinf(numbers).sum()),
    }
    if len(finite) < len(numbers):
        tell(f"values: {len(numbers) - len(finite)} of {len(numbers)} are NaN or infinite; counted apart")
    if np.ndim(bins):
        ends = _edges(bins)
        apart |= {"below": int((finite < ends[0]).sum()), "above": int((finite > ends[-1]).sum())}
        bars = np.histogram(finite, ends)[0]
    else:
        bars, ends = _counted(finite, _number_of(bins))
    if len(finite):
        with np.errstate(over="ignore"):  # by rounding, where all are as large as numbers get
            mean = float((finite / len(finite)).sum())  # divided first: a sum of huge values would overflow
        low, high = float(finite.min()), float(finite.max())
        # Between them, as the smallest numbers become 0 when they are divided.
        apart |= {"min": low, "max": high, "mean": min(max(mean, low), high)}
    return _encoded(bars, ends, apart)


def _encoded(counts: NDArray[Any], edges: NDArray[np.float64], apart: dict[str, float]) -> Encoded:
    bars = [int(count) if float(count).is_integer() else float(count) for count in counts]
    body = {"counts": bars, "edges": edges.tolist(), **apart}
    data = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    return Encoded(data, "application/json", ".json", {"bins": len(bars), "count": sum(bars), **apart})


def _counted(finite: NDArray[np.float64], bins: int) -> Bins:
    """Counts of `bins` bins over the range of some values; of as many as floats can tell apart."""
    if not len(finite):
        return np.zeros(bins, np.int64), np.linspace(0, 1, bins + 1)
    low, high = float(finite.min()), float(finite.max())
    # A range that overflows is halved: powers of two change no digit.
    scale = 4.0 if not np.isfinite(high - low) or max(abs(low), abs(high)) > 1e307 else 1.0
    if low == high:
        low, high = _around(low)
    ends = np.linspace(low / scale, high / scale, bins + 1) * scale
    ends[0], ends[-1] = low, high
    ends = np.unique(ends)
    return np.histogram(finite, ends)[0], ends


def _around(value: float) -> tuple[float, float]:
    """A range that holds one value."""
    width = max(0.5, abs(value) * 2.0**-20)
    return max(value - width, -np.finfo(float).max), min(value + width, np.finfo(float).max)


def _number_of(bins: Any) -> int:
    try:
        number = operator.index(bins)
    except TypeError as error:
        raise Invalid.field("bins", "must be a whole number, or edges that ascend") from error
    if not 1 <= number <= MOST_BINS:
        raise Invalid.field("bins", f"must be 1 to {MOST_BINS}, not {number}")
    return number


def _edges(given: Any, field: str = "bins") -> NDArray[np.float64]:
    edges = array_of(given, field).astype(np.float64)
    if edges.ndim != 1 or not 2 <= len(edges) <= MOST_BINS + 1:
        raise Invalid.field(field, f"edges must be 2 to {MOST_BINS + 1} numbers")
    if not np.isfinite(edges).all() or not (np.diff(edges / 4) > 0).all():
        raise Invalid.field(field, "edges must be finite and ascend")
    return edges


def _given(counts: Any, edges: Any) -> tuple[NDArray[Any], NDArray[np.float64]]:
    if counts is None or edges is None:
        raise Invalid.field("counts", "counts and edges belong together")
    ends, bars = _edges(edges, "edges"), array_of(counts, "counts")
    if bars.shape != (len(ends) - 1,):
        raise Invalid.field("counts", f"must be {len(ends) - 1} numbers, one less than the edges")
    if not np.isfinite(bars.astype(np.float64)).all() or (bars < 0).any():
        raise Invalid.field("counts", "must be finite and not negative")
    return bars, ends
