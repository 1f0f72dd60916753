"""How results of workflows are printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

import click

from .cells import Cell, Head, missing, print_cells
from .evaluation_api import EvaluationApi
from .text import number, visible

__all__ = ["Found", "found_means", "print_comparison", "print_kept", "print_means", "scores"]


class Found(NamedTuple):
    """A value of a result.

    Attributes:
        name: such as ``rouge.rougeL``, or plain ``bleu``.
        value: the mean, or the one value of all rows.
        interval: 95 %; ``None`` where there is none.
        rows: of which it is.
    """

    name: str
    value: float | None
    interval: tuple[float, float] | None
    rows: int | None


def found_means(metrics: Mapping[str, Any]) -> list[Found]:
    """The means and values of a result's metrics, under the names that a tracked experiment has for them."""
    return [one for metric, entry in metrics.items() for one in _of_metric(metric, entry)]


def _of_metric(metric: str, entry: Any) -> Iterator[Found]:
    if not isinstance(entry, Mapping):
        yield Found(metric, entry, None, None)
        return
    for name, rows in entry.items():
        if not name.endswith("_rows"):
            continue
        series = name.removesuffix("_rows")
        value = entry.get(f"{series}_mean", entry.get(series))
        interval = entry.get(f"{series}_interval")
        yield Found(
            metric if series == metric else f"{metric}.{series}",
            value,
            None if interval is None else (interval[0], interval[1]),
            rows,
        )


def scores(api: EvaluationApi, workflow: Mapping[str, Any]) -> list[Found]:
    """What the evaluation of a workflow that has succeeded found, with intervals."""
    last = workflow["jobs"][-1]["id"]
    return found_means(api.get(f"/jobs/{last}/result")["metrics"])


def print_means(api: EvaluationApi, workflows: Sequence[Mapping[str, Any]]) -> None:
    """Prints a line a metric, and of each workflow its mean with its 95 % interval."""
    columns = [{one.name: one for one in scores(api, each)} for each in workflows]
    names = list(dict.fromkeys(name for column in columns for name in column))
    heads = [Head("metric"), *(Head(each["name"], is_number=True, may_shrink=True) for each in workflows)]
    rows = [[Cell(name), *(_mean(column.get(name)) for column in columns)] for name in names]
    print_cells(heads, rows)


def _mean(found: Found | None) -> Cell:
    if found is None or found.value is None:
        return missing()
    if found.interval is None:
        return Cell(f"{found.value:.4g}")
    low, high = found.interval
    return Cell(f"{found.value:.4g} [{low:.4g}, {high:.4g}]")


def print_comparison(compared: Mapping[str, Any], first: str, second: str) -> None:
    """Prints which of two workflows does better, by metric."""
    click.echo(f"\n{second} less {first}, on the same {compared['rows']} rows (p by Holm over all metrics):")
    heads = [
        Head("metric"), Head("difference", is_number=True), Head("interval", is_number=True),
        Head("p", is_number=True), Head("better"),
    ]  # fmt: skip
    rows = []
    for each in compared["metrics"]:
        interval = each["interval"]
        better = {"first": first, "second": second}.get(each["better"], "may be chance")
        style = {"first": "worse", "second": "better"}.get(each["better"], "faint")
        rows.append(
            [
                Cell(each["metric"]),
                missing() if each["difference"] is None else Cell(f"{each['difference']:+.4f}"),
                missing() if interval is None else Cell(f"[{interval[0]:+.4f}, {interval[1]:+.4f}]"),
                missing() if each["adjusted"] is None else Cell(_p(each["adjusted"])),
                Cell(better, style),
            ]
        )
    print_cells(heads, rows)


def print_kept(headers: Mapping[str, str]) -> None:
    """Tells what a deletion left, by the headers of its answer."""
    if (kept := headers.get("x-kept")) is not None:
        click.echo(visible(f"kept: {unquote(kept)}"), err=True)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else number(round(value, 3))
