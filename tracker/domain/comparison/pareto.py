"""The experiments that nothing beats in every way at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracker.domain.ids import ExperimentId
from tracker.domain.projects.project import Direction
from tracker.domain.search.found import metric_key

__all__ = ["Front", "FrontMember", "Objective", "front", "pareto"]

_CHUNK = 4096

Point = tuple[float, ...]


class Objective(NamedTuple):
    """A metric that is to become better."""

    name: str
    label: str | None
    direction: Direction

    @property
    def key(self) -> str:
        """``name`` or ``name[label]``."""
        return metric_key(self.name, self.label)


class FrontMember(NamedTuple):
    """An experiment of the front.

    Attributes:
        values: one for each objective.
    """

    id: ExperimentId
    name: str
    values: tuple[float, ...]


class Front(NamedTuple):
    """A Pareto front.

    Attributes:
        members: the best by the first objective first, of equals by the next, then by id.
        considered: experiments that have all values.
        excluded: those that lack one, or have NaN for it.
    """

    objectives: tuple[Objective, ...]
    members: tuple[FrontMember, ...]
    considered: int
    excluded: int


def pareto(
    rows: Sequence[tuple[ExperimentId, Sequence[float | None]]], objectives: Sequence[Objective]
) -> tuple[list[tuple[ExperimentId, Point]], int]:
    """The rows of the front in their order, and how many rows have all values.

    Args:
        rows: experiments with a value for each objective; ``None`` and NaN are missing.
        objectives: at least one.
    """
    signs = [-1.0 if each.direction is Direction.MINIMIZE else 1.0 for each in objectives]
    whole: list[tuple[ExperimentId, Point]] = []
    for key, values in rows:
        point = tuple(value for value in values if value is not None and value == value)  # noqa: PLR0124  (NaN)
        if len(point) == len(objectives):
            whole.append((key, point))
    better = [tuple(s * v for s, v in zip(signs, point, strict=True)) for _, point in whole]
    chosen = front(better)
    chosen.sort(key=lambda index: (tuple(-value for value in better[index]), whole[index][0]))
    return [whole[index] for index in chosen], len(whole)


def front(points: Sequence[Point]) -> list[int]:
    """The points that no other one dominates, by their places in `points`.

    A point dominates another if it is nowhere less and somewhere greater (V. Pareto; H. T. Kung, F. Luccio
    and F. P. Preparata, "On finding the maxima of a set of vectors", J. ACM 22, 1975). Equal points do not
    dominate each other. In two dimensions it takes one sort; in more a comparison of all pairs, but dozens
    of them at once.

    Args:
        points: of one dimension, without NaN.
    """
    if not points:
        return []
    distinct = list(dict.fromkeys(points))
    kept = set(_sweep(distinct) if len(distinct[0]) <= 2 else _many(distinct))
    return [index for index, point in enumerate(points) if point in kept]


def _sweep(points: Sequence[Point]) -> list[Point]:
    """The staircase: from the greatest first coordinate on, each that has a greater second one."""
    kept: list[Point] = []
    for point in sorted(points, reverse=True):
        if not kept or (len(point) == 2 and point[1] > kept[-1][1]):
            kept.append(point)
    return kept


def _many(points: list[Point]) -> list[Point]:
    """In pieces, since the memory of one step is the square of its points."""
    while len(points) > _CHUNK:
        pieces = [points[start : start + _CHUNK] for start in range(0, len(points), _CHUNK)]
        left = [point for piece in pieces for point in _undominated(piece)]
        if len(left) == len(points):
            break
        points = left
    return _undominated(points)


def _undominated(points: Sequence[Point]) -> list[Point]:
    """Distinct points whose only point that is nowhere less is itself.

    Sets of points are bits of integers: in each dimension those that are not less than a point are a
    prefix of the sorted order, and all dimensions together are ``&``.
    """
    at_least = [(1 << len(points)) - 1] * len(points)
    for dimension in range(len(points[0])):
        order = sorted(range(len(points)), key=lambda index: points[index][dimension], reverse=True)
        prefix, start = 0, 0
        while start < len(order):
            stop = start
            while stop < len(order) and points[order[stop]][dimension] == points[order[start]][dimension]:
                prefix |= 1 << order[stop]
                stop += 1
            for index in order[start:stop]:
                at_least[index] &= prefix
            start = stop
    return [point for index, point in enumerate(points) if at_least[index] == 1 << index]
