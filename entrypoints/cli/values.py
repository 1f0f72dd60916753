"""Types of options and arguments: what a person types, as the domain wants it."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import click

from tracker.domain.identity.actions import Action

__all__ = [
    "ACTION", "JSON_OBJECT", "METRIC_DEFINITION", "NAMED_NUMBER", "PARAM", "ROLE", "STATUS", "TARGET",
    "TEXT_FILE",
]  # fmt: skip

ACTION = click.Choice([action.value for action in Action])
ROLE = click.Choice(["viewer", "member", "admin"])
STATUS = click.Choice(["planned", "running", "complete", "failed"])


class _Param(click.ParamType[Any]):
    """``lr=0.1``: a dotted name and a JSON scalar, or else text as it stands."""

    name = "name=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        key, sign, text = value.partition("=")
        if not (key and sign):
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return key, text
        if isinstance(parsed, float) and not math.isfinite(parsed):
            self.fail(f"{key}: {text} is not a finite number", param, ctx)
        return key, text if isinstance(parsed, list | dict) else parsed


class _NamedNumber(click.ParamType[Any]):
    """``loss=0.25``; ``nan`` and ``inf`` are numbers here."""

    name = "name=number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        if isinstance(value, tuple):
            return value
        # From the right: the names of scalars may hold an equals sign, numbers cannot.
        key, sign, text = value.rpartition("=")
        try:
            number = float(text)
        except ValueError:
            self.fail(f"{value!r} is not NAME=NUMBER", param, ctx)
        if not (key and sign):
            self.fail(f"{value!r} is not NAME=NUMBER", param, ctx)
        return key, number


class _TextFile(click.ParamType[Any]):
    """The text of a file, or of stdin when it is ``-``."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            content = sys.stdin.buffer.read() if value == "-" else Path(value).read_bytes()
            return content.decode("utf-8")
        except OSError as error:
            self.fail(f"{value}: {error.strerror}", param, ctx)
        except UnicodeDecodeError:
            self.fail(f"{value}: is not UTF-8 text", param, ctx)


class _JsonObject(_TextFile):
    """The JSON object in a file, or in stdin when it is ``-``."""

    name = "file.json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, dict):
            return value
        text = super().convert(value, param, ctx)
        try:
            parsed = json.loads(text)
        except RecursionError:
            self.fail(f"{value}: is nested too deeply", param, ctx)
        except ValueError as error:
            self.fail(f"{value}: is not JSON: {error}", param, ctx)
        if not isinstance(parsed, dict):
            self.fail(f"{value}: is not a JSON object", param, ctx)
        return parsed


class _MetricDefinition(click.ParamType[Any]):
    """``NAME[:DIRECTION[:AGGREGATION[:LABEL]]]``, such as ``loss:minimize:best``."""

    name = "name[:direction[:aggregation[:label]]]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from tracker.domain.projects.project import (  # noqa: PLC0415  (late: pydantic)
            Aggregation,
            Direction,
            MetricDefinition,
        )

        if isinstance(value, MetricDefinition):
            return value
        name, direction, aggregation, label = [*value.split(":", 3), "", "", ""][:4]
        try:
            return MetricDefinition(
                name=name,
                direction=Direction(direction or Direction.MAXIMIZE),
                aggregation=Aggregation(aggregation or Aggregation.LAST),
                label=label or None,
            )
        except ValueError:
            self.fail(
                f"{value!r}: DIRECTION is {' or '.join(Direction)}, AGGREGATION is one of "
                f"{', '.join(Aggregation)}",
                param,
                ctx,
            )


class _Target(click.ParamType[Any]):
    """``NAME[:DIRECTION[:WEIGHT[:LABEL]]]``, such as ``val.loss:minimize:2``."""

    name = "name[:direction[:weight[:label]]]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from tracker.domain.hypotheses.hypothesis import Target  # noqa: PLC0415  (late: pydantic)
        from tracker.domain.projects.project import Direction  # noqa: PLC0415

        if isinstance(value, Target):
            return value
        name, direction, weight, label = [*value.split(":", 3), "", "", ""][:4]
        try:
            return Target(
                name=name,
                direction=Direction(direction) if direction else None,
                weight=float(weight or 1),
                label=label or None,
            )
        except ValueError:
            self.fail(f"{value!r}: DIRECTION is {' or '.join(Direction)}, WEIGHT a number", param, ctx)


JSON_OBJECT = _JsonObject()
METRIC_DEFINITION = _MetricDefinition()
NAMED_NUMBER = _NamedNumber()
PARAM = _Param()
TARGET = _Target()
TEXT_FILE = _TextFile()
