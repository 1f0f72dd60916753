"""Random forests, by scikit-learn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from tracker.domain.comparison.importance import Kind, ParamColumn
from tracker.domain.errors import Invalid

__all__ = ["ForestImportanceModel"]

_FOLDS = 3
_TREES = 100
_REPEATS = 3
_MOST_RUNS = 2000


class ForestImportanceModel:
    """Keeps the port :class:`tracker.ports.importance.ImportanceModel`.

    L. Breiman, "Random forests", Machine Learning 45 (2001), section 10: permutation importance, here on
    runs held out of three folds. Of more than 2,000 runs evenly spaced ones are taken. One forest grows at
    a time, in a thread of its own.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def importances(self, columns: Sequence[ParamColumn], target: Sequence[float]) -> tuple[float, ...]:
        """By permutation."""
        if find_spec("sklearn") is None:
            raise Invalid.field(
                "method",
                "forest needs scikit-learn where tracker runs: pip install 'tracker[importance]'; "
                "rank needs nothing",
            )
        async with self._turn:
            return await asyncio.to_thread(_importances, columns, target)


def _importances(columns: Sequence[ParamColumn], target: Sequence[float]) -> tuple[float, ...]:
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415  (late: an extra, and slow to import)
    from sklearn.inspection import permutation_importance  # noqa: PLC0415
    from sklearn.model_selection import KFold  # noqa: PLC0415

    chosen = np.unique(np.linspace(0, len(target) - 1, min(len(target), _MOST_RUNS)).astype(np.int64))
    x = np.column_stack([_encoded(column) for column in columns])[chosen]
    y = _scaled(np.asarray(target, np.float64)[chosen])
    lost = np.zeros(len(columns))
    for learnt, held_out in KFold(_FOLDS, shuffle=True, random_state=0).split(x):
        forest: Any = RandomForestRegressor(_TREES, random_state=0, min_samples_leaf=2).fit(
            x[learnt], y[learnt]
        )
        found: Any = permutation_importance(
            forest, x[held_out], y[held_out], n_repeats=_REPEATS, random_state=0
        )
        lost += np.nan_to_num(found.importances_mean) / _FOLDS
    return tuple(float(max(0.0, value)) for value in lost)


def _encoded(column: ParamColumn) -> Any:
    """Numbers as they are, categories by their place in the order of texts; NaN where it is missing.

    A forest takes 32 bits a number, so what is beyond them becomes the largest one.
    """
    if column.kind is Kind.NUMERIC:
        limit = float(np.finfo(np.float32).max)
        numbers = [math.nan if v is None else max(-limit, min(limit, float(v))) for v in column.values]
        return np.asarray(numbers, np.float64)
    places = {
        text: place for place, text in enumerate(sorted({str(v) for v in column.values if v is not None}))
    }
    return np.asarray([math.nan if v is None else places[str(v)] for v in column.values], np.float64)


def _scaled(y: Any) -> Any:
    """Between -1 and 1, so that squares stay finite; R squared does not notice."""
    largest = float(np.max(np.abs(y)))
    return y / largest if largest > 0 else y
