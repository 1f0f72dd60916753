"""What a result must reach, as people write it: ``rouge.rougeL>=0.3``."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

__all__ = ["THRESHOLD", "Threshold"]

_FORM = re.compile(r"(.+?)\s*(>=|<=|>|<)\s*(\S+)")
_HOLDS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class Threshold(NamedTuple):
    """A metric and what its value must reach.

    Attributes:
        metric: such as ``rouge.rougeL``.
        relation: one of ``>= <= > <``.
        limit: that it is compared with.
    """

    metric: str
    relation: str
    limit: float

    def __str__(self) -> str:
        return f"{self.metric}{self.relation}{self.limit:g}"

    def broken(self, means: Mapping[str, float | None]) -> str | None:
        """Why a result does not meet it; ``None`` when it does. No value meets no threshold."""
        value = means.get(self.metric)
        if value is None:
            return f"{self}: there is no such value; there are {', '.join(sorted(means)) or 'none'}"
        return None if _HOLDS[self.relation](value, self.limit) else f"{self}: it is {value:.6g}"


class _ThresholdType(click.ParamType):  # type: ignore[type-arg]
    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Threshold:
        if isinstance(value, Threshold):
            return value
        match = _FORM.fullmatch(value.strip())
        try:
            limit = math.nan if match is None else float(match[3])
        except ValueError:
            limit = math.nan
        if match is None or math.isnan(limit):
            self.fail(f"{value!r} is no threshold; write one such as rouge.rougeL>=0.3", param, ctx)
        return Threshold(match[1], match[2], limit)


THRESHOLD = _ThresholdType()
