"""The contract of samples read word by word, in Python's own numbers."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from tracker.domain.scalars.series import Axis


class Sampled(Protocol):
    """What thinning gives and stores answer."""

    step: np.ndarray
    time: np.ndarray
    value: np.ndarray
    total: int
    edges: np.ndarray
    gaps: np.ndarray


def assert_sampled(
    found: Sampled, points: list[tuple[int, int, bytes]], max_points: int | None, axis: Axis
) -> None:
    """Fails unless `found` is an answer that :meth:`tracker.ports.scalars.ScalarStore.sample` allows.

    Args:
        found: the answer.
        points: step, time and the eight bytes of the value of all points in question, by (step, arrival).
        max_points, axis: what was asked.
    """
    values = [float(np.frombuffer(point[2])[0]) for point in points]
    position = [point[0] if axis is Axis.STEP else point[1] for point in points]
    rows = sorted(range(len(points)), key=position.__getitem__)
    assert found.total == len(points)
    if max_points is None or len(points) <= max_points:
        assert found.edges.tolist() == []
        _assert_kept(found, points, set(rows))
        holes = {position[row] for row in rows if not math.isfinite(values[row])}
        assert found.gaps.tolist() == [float(hole) for hole in sorted(holes)]
        return
    buckets = _buckets(found.edges.tolist(), rows, position)
    count = max(1, max_points // 4)
    assert len(buckets) <= count
    width = (position[rows[-1]] - position[rows[0]]) // count + 1
    kept: set[int] = set()
    gaps = []
    for bucket in buckets:
        first, last = bucket[0], bucket[-1]
        assert position[last] - position[first] < 2 * width
        numbers = [row for row in bucket if math.isfinite(values[row])]
        extremes = [choose(numbers, key=values.__getitem__) for choose in (max, min) if numbers]
        ranked = list(dict.fromkeys([*extremes, last, first]))
        kept |= set(ranked[:max_points])
        if len(numbers) < len(bucket):
            gaps.append(np.int64(position[first]) / 2 + np.int64(position[last]) / 2)
    _assert_kept(found, points, kept)
    assert found.gaps.tolist() == gaps


def _buckets(edges: list[int], rows: list[int], position: list[int]) -> list[list[int]]:
    assert edges == sorted(set(edges)) and edges[0] == position[rows[0]]
    buckets: list[list[int]] = [[] for _ in edges]
    at = 0
    for row in rows:
        while at + 1 < len(edges) and position[row] >= edges[at + 1]:
            at += 1
        buckets[at].append(row)
    assert [position[bucket[0]] for bucket in buckets] == edges  # none is empty, each begins at a point
    return buckets


def _assert_kept(found: Sampled, points: list[tuple[int, int, bytes]], rows: set[int]) -> None:
    wanted = [points[row] for row in sorted(rows)]
    columns = found.step.tolist(), found.time.tolist(), [value.tobytes() for value in found.value]
    assert list(zip(*columns, strict=True)) == wanted
