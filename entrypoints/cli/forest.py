"""A forest plot in text: how much better or worse each group is, and how sure that is.

::

    val.acc, maximize            worse        0                better
    2_from_1_wide ×3 / 1_base ×3              ┊     ├─────■─────┤     +0.11  [+0.08, +0.14]
    all                                       ┊     ├─────◆─────┤     +0.11  [+0.08, +0.14]  p = 0.0004
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from tracker.domain.hypotheses.evidence import Evidence, Group, Interval, TargetEvidence
from tracker.domain.ids import ExperimentId

from .text import visible

__all__ = ["forest"]

_WIDTH = 41
_LABEL = 36


def forest(evidence: Evidence, width: int = _WIDTH) -> Iterator[str]:
    """The lines of the plot, a block for each target; none when nothing could be compared.

    Args:
        evidence: what to draw.
        width: characters of an axis; at least 11.
    """
    names = {one.id: one.name for one in evidence.experiments}
    for target in evidence.targets:
        groups = [
            group
            for group in evidence.groups
            if (group.name, group.label) == (target.name, target.label) and group.effect is not None
        ]
        if target.effect is not None and groups:
            yield from _block(target, groups, names, width)


def _block(
    target: TargetEvidence, groups: Sequence[Group], names: Mapping[ExperimentId, str], width: int
) -> Iterator[str]:
    axis = _Axis([target, *groups], width)
    title = target.name if target.label is None else f"{target.name} ({target.label})"
    yield f"{_cell(f'{title}, {target.direction}')} {axis.header()}"
    for group in groups:
        against = f"{_named(group.experiments, names)} / {_named(group.baseline, names)}"
        yield f"{_cell(against)} {axis.drawn(group.effect, group.interval, '■')}  {_numbers(group)}".rstrip()
    p = "" if target.p is None else f"  p = {target.p:.2g}"
    yield f"{_cell('all')} {axis.drawn(target.effect, target.interval, '◆')}  {_numbers(target)}{p}".rstrip()


class _Axis:
    """From improvements to columns; zero always has one."""

    def __init__(self, rows: Sequence[TargetEvidence | Group], width: int) -> None:
        marks = [bound for row in rows for bound in (row.effect, *(row.interval or ())) if bound is not None]
        finite = [mark for mark in marks if math.isfinite(mark)]
        self._width = width
        self._low, self._high = min([0.0, *finite]), max([0.0, *finite])
        if self._low == self._high:
            self._low, self._high = -1.0, 1.0

    def column(self, value: float) -> int:
        """Where a value stands; what is beyond the axis at its end."""
        # Halved before subtracting: the span of two huge numbers of opposite sign would overflow.
        share = (value / 2 - self._low / 2) / (self._high / 2 - self._low / 2)
        return int(min(max(share, 0.0), 1.0) * (self._width - 1) + 0.5)

    def header(self) -> str:
        """The zero, and which side is which where there is room."""
        zero = self.column(0.0)
        left = "worse" if zero > len("worse") else ""
        right = "better" if self._width - 1 - zero > len("better") else ""
        return f"{left:<{zero}}0{right:>{self._width - 1 - zero}}"

    def drawn(self, effect: float | None, interval: Interval | None, mark: str) -> str:
        """One row."""
        cells = [" "] * self._width
        cells[self.column(0.0)] = "┊"
        if interval is not None:
            low, high = map(self.column, interval)
            cells[low : high + 1] = ["─"] * (high + 1 - low)
            cells[low], cells[high] = "├", "┤"
        if effect is not None:
            cells[self.column(effect)] = mark
        return "".join(cells)


def _named(ids: Sequence[ExperimentId], names: Mapping[ExperimentId, str]) -> str:
    return f"{names.get(ids[0], str(ids[0]))} ×{len(ids)}"


def _numbers(row: TargetEvidence | Group) -> str:
    if row.interval is None:
        return f"{row.effect:+.3g}"
    low, high = row.interval
    return f"{row.effect:+.3g}  [{low:+.3g}, {high:+.3g}]"


def _cell(text: str) -> str:
    shown = visible(text)
    return f"{shown if len(shown) <= _LABEL else shown[: _LABEL - 1] + '…':<{_LABEL}}"
