"""``wandb.summary``: one value for each name, by default the last."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracker.compat.wandb_errors import UsageError

__all__ = ["Metrics", "Summary"]

_KINDS = frozenset({"min", "max", "mean", "last", "best", "copy", "none", "first"})


@dataclass
class _Seen:
    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    first: float = math.nan
    last: float = math.nan

    def add(self, value: float) -> None:
        if not self.count:
            self.first = value
        self.last = value
        if not math.isnan(value):
            self.count += 1
            self.total += value
            self.low = min(self.low, value)
            self.high = max(self.high, value)


@dataclass(frozen=True)
class Defined:
    """What ``define_metric`` said of a name or a pattern of names.

    Attributes:
        name: the name, or a pattern that ends with ``*``.
        step_metric: the name of its x-axis.
        step_sync: whether the x-axis' last value is added where it is not logged.
        kinds: of summaries; none = the last value, as where nothing is defined.
        is_minimized: whether ``best`` is the least.
    """

    name: str
    step_metric: str | None = None
    step_sync: bool = True
    kinds: tuple[str, ...] = ()
    is_minimized: bool = True


@dataclass
class Metrics:
    """All definitions of a run, and what was seen of each name."""

    defined: dict[str, Defined] = field(default_factory=dict)
    seen: dict[str, _Seen] = field(default_factory=dict)

    def define(
        self,
        name: str,
        step_metric: str | None,
        step_sync: bool | None,
        summary: str | None,
        goal: str | None,
    ) -> Defined:
        """Keeps one definition.

        Raises:
            UsageError: the summary is of no kind that there is.
        """
        kinds = tuple(kind.strip() for kind in (summary or "").split(",") if kind.strip())
        for kind in kinds:
            if kind not in _KINDS:
                raise UsageError(f"Unhandled define_metric() arg: summary op: {kind}")
        if "*" in name[:-1]:
            raise UsageError("Unhandled define_metric() arg: name (glob suffixes only): " + name)
        made = Defined(
            name, step_metric, step_sync is not False, kinds, not (goal or "").startswith("max")
        )  # fmt: skip
        self.defined[name] = made
        return made

    def of(self, name: str) -> Defined | None:
        """The definition for a name: its own, else the first pattern that it fits."""
        own = self.defined.get(name)
        if own is not None:
            return own
        patterns = (made for key, made in self.defined.items() if key.endswith("*"))
        return next((made for made in patterns if fnmatch.fnmatchcase(name, made.name)), None)

    def add(self, name: str, value: float) -> None:
        """Takes a logged value."""
        self.seen.setdefault(name, _Seen()).add(value)

    def summaries(self) -> dict[str, float]:
        """What each name's logged values come to."""
        found: dict[str, float] = {}
        for name, seen in self.seen.items():
            made = self.of(name)
            kinds = () if made is None else made.kinds
            if not kinds:
                found[name] = seen.last
            for kind in kinds:
                found.update(_one(name, kind, seen, made is None or made.is_minimized))
        return found


class Summary:
    """Explicit values, and below them what the logged values come to.

    As in wandb, an explicit value gives way to one of the same name that is logged later.
    """

    def __init__(self, metrics: Metrics) -> None:
        object.__setattr__(self, "_metrics", metrics)
        object.__setattr__(self, "_explicit", {})

    def update(self, d: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Sets several values."""
        self._explicit.update({**(d or {}), **more})

    def _overtake(self, names: Iterable[str]) -> None:
        """Lets explicit values go: these names were logged."""
        for name in names:
            self._explicit.pop(name, None)

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default`."""
        return self._all().get(key, default)

    def keys(self) -> list[str]:
        """The names."""
        return list(self._all())

    def items(self) -> list[tuple[str, Any]]:
        """Names with their values."""
        return list(self._all().items())

    def _all(self) -> dict[str, Any]:
        return {**self._metrics.summaries(), **self._explicit}

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        self._explicit.pop(key, None)

    def __getattr__(self, key: str) -> Any:
        try:
            return self._all()[key]
        except KeyError as error:
            raise AttributeError(f"{type(self)!r} object has no attribute {key!r}") from error

    def __setattr__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def __contains__(self, key: object) -> bool:
        return key in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _one(name: str, kind: str, seen: _Seen, is_minimized: bool) -> dict[str, float]:
    if kind == "none":
        return {}
    if kind == "copy":
        return {name: seen.last}
    best = seen.low if is_minimized else seen.high
    values = {
        "min": seen.low, "max": seen.high, "last": seen.last, "first": seen.first, "best": best,
        "mean": seen.total / seen.count if seen.count else math.nan,
    }  # fmt: skip
    return {f"{name}.{kind}": values[kind]}
