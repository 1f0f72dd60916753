"""Collects points of many series row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tracker.importers.json_values import leaves, number_of
from tracker.importers.records import LeftOut, Points

__all__ = ["Columns"]


class Columns:
    """Series that grow by rows of named values."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[list[int], list[int], list[float]]] = {}
        self._passed: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, step: int, time: int, value: float) -> None:
        """One point; `time` in microseconds."""
        steps, times, values = self._columns.setdefault(name, ([], [], []))
        steps.append(step)
        times.append(time)
        values.append(value)

    def add_row(self, row: Mapping[str, Any], step: int, time: int) -> None:
        """All numbers of a row; what else it has is counted."""
        for name, value in leaves(row):
            number = number_of(value)
            if number is not None:
                self.add(name, step, time, number)
            else:
                kind = value.get("_type", "object") if isinstance(value, Mapping) else type(value).__name__
                self._passed[str(kind), name] += 1

    @property
    def series(self) -> dict[str, Points]:
        """All points by now."""
        return {name: Points.of(*columns) for name, columns in self._columns.items()}

    def left_out(self) -> Iterator[LeftOut]:
        """What was no number."""
        for (kind, name), count in sorted(self._passed.items()):
            yield LeftOut(f"{kind} {name}", "is no number", count)
