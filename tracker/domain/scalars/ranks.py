"""The processes of a distributed job, of which each logs under names of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tracker.domain.scalars.series import Series

__all__ = ["Over", "over_ranks", "rank_of", "ranks_by_name"]

_RANKED = re.compile(r"(.+)@rank([1-9][0-9]{0,6})", re.DOTALL)


class Over(StrEnum):
    """What becomes of the values that several ranks have at one step."""

    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    SUM = "sum"


def rank_of(name: str) -> tuple[str, int]:
    """The plain name of a scalar and which rank logged it: rank r > 0 logs ``loss`` as ``loss@rank{r}``."""
    found = _RANKED.fullmatch(name)
    return (name, 0) if found is None else (found[1], int(found[2]))


def ranks_by_name(names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Plain name -> the names under which its ranks log, by rank."""
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        plain, rank = rank_of(name)
        found.setdefault(plain, []).append((rank, name))
    return {plain: [name for _, name in sorted(ranked)] for plain, ranked in found.items()}


def over_ranks(series: Sequence[Series], how: Over) -> Series:
    """One series of several ranks' series: at each step that any has, the `how` of those that have it.

    A rank that was not so far, or left a step out, does not count there. A rank that logged a step
    several times counts with the point that arrived last. NaN of one rank makes the step NaN, whatever
    `how`, and infinities follow IEEE 754 (``inf - inf`` is NaN): what one rank lost, all have lost.

    Args:
        series: of one experiment, at least one; the first one gives its name.
        how: mean, minimum, maximum or sum.

    Returns:
        Ascending steps, each once; the time is that of the latest of its points.
    """
    columns = [_last_of_step(each) for each in series]
    step, place = np.unique(np.concatenate([each[0] for each in columns]), return_inverse=True)
    value = np.concatenate([each[2] for each in columns])
    time = np.full(len(step), np.iinfo(np.int64).min)
    np.maximum.at(time, place, np.concatenate([each[1] for each in columns]))
    first = series[0]
    return Series(
        experiment_id=first.experiment_id,
        name=rank_of(first.name)[0],
        step=step,
        time=time,
        value=_together(value, place, len(step), how),
    )


def _together(
    value: NDArray[np.float64], place: NDArray[np.intp], count: int, how: Over
) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", over="ignore"):
        match how:
            case Over.MIN | Over.MAX:
                found = np.full(count, np.inf if how is Over.MIN else -np.inf)
                (np.minimum if how is Over.MIN else np.maximum).at(found, place, value)
                return found
            case Over.MEAN:
                # Divided first: the sum of what just fits into a float would not.
                value = value / np.bincount(place, minlength=count)[place]
        found = np.zeros(count)
        np.add.at(found, place, value)
        return found


def _last_of_step(series: Series) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Step, time and value of the point of each step that arrived last."""
    kept = np.append(series.step[1:] != series.step[:-1], True)[: len(series)]
    return series.step[kept], series.time[kept], series.value[kept]
