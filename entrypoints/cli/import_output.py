"""How an import's report is printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .errors import REFUSED
from .output import Column, print_json, print_table
from .text import one_line

if TYPE_CHECKING:
    from tracker.importers.records import LeftOut
    from tracker.importers.report import Report, RunReport

__all__ = ["print_report"]

_SHOWN = 30
"""Lines of what was not carried, and of what differs; --json has all."""

_COLUMNS = (
    Column("project", lambda run: run.project),
    Column("experiment", lambda run: run.name),
    Column("series", lambda run: str(len(run.series)), is_number=True),
    Column("points", lambda run: str(run.points), is_number=True),
    Column("new", lambda run: str(run.added), is_number=True),
    Column("final values", lambda run: str(run.metrics), is_number=True),
    Column("files", lambda run: str(run.files), is_number=True),
    Column("checksum", lambda run: run.checksum),
    Column("read back", lambda run: "differs" if run.problems else "same"),
)


def print_report(report: Report, *, as_json: bool) -> None:
    """Prints it, and ends with exit code 1 if anything differs."""
    if as_json:
        print_json(_plain(report))
    else:
        print_table(_COLUMNS, report.runs, empty=f"no runs in {report.place}")
        _print_lines("not carried", _left_out(report))
        _print_lines("DIFFERS", _problems(report))
        series = sum(len(run.series) for run in report.runs)
        points = sum(run.points for run in report.runs)
        verdict = "every bit is as in the source" if report.is_faithful else "NOT all is as in the source"
        click.echo(
            f"{len(report.runs)} experiment{'s'[: len(report.runs) != 1]}, {series} series, {points} points "
            f"({sum(run.added for run in report.runs)} new): read back, {verdict}"
        )
    if not report.is_faithful:
        raise click.exceptions.Exit(REFUSED)


def _left_out(report: Report) -> Iterator[str]:
    told: Counter[tuple[str, str]] = Counter()
    for each in (*report.left_out, *(one for run in report.runs for one in run.left_out)):
        if not each.damaged:
            told[each.what, each.why] += each.count
    for (what, why), count in told.items():
        yield f"{what}: {why}" + (f" ({count})" if count > 1 else "")


def _problems(report: Report) -> Iterator[str]:
    yield from report.differences
    for run in report.runs:
        for problem in run.problems:
            yield f"{run.name}: {problem}"


def _print_lines(title: str, lines: Iterator[str]) -> None:
    told = list(lines)
    for line in told[:_SHOWN]:
        click.echo(f"{title}: {one_line(line)}")
    if len(told) > _SHOWN:
        click.echo(f"{title}: and {len(told) - _SHOWN} more; --json has all")


def _plain(report: Report) -> dict[str, Any]:
    return {
        "tool": report.tool,
        "place": report.place,
        "same": report.is_faithful,
        "differences": report.differences,
        "left_out": [_left(each) for each in report.left_out],
        "experiments": [_run(run) for run in report.runs],
    }


def _run(run: RunReport) -> dict[str, Any]:
    return {
        "id": run.experiment_id,
        "name": run.name,
        "project": run.project,
        "points": run.points,
        "new": run.added,
        "final_values": run.metrics,
        "files": run.files,
        "series": [
            {
                "name": check.name,
                "points": check.points,
                "checksum": check.checksum,
                "kept": check.kept,
                "same": check.is_same,
            }
            for check in run.series
        ],
        "left_out": [_left(each) for each in run.left_out],
        "problems": run.problems,
    }


def _left(each: LeftOut) -> dict[str, Any]:
    return {"what": each.what, "why": each.why, "count": each.count, "damaged": each.damaged}
