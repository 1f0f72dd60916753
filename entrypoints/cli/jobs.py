"""``tracker job``."""

from __future__ import annotations

from typing import Any

import click

from .datasets import limit_option, project_id_option
from .evaluation_api import EvaluationApi, with_evaluation
from .output import Column, as_json_option, print_json, print_record, print_table
from .text import visible

__all__ = ["job"]

_KINDS = click.Choice(["inference", "annotate", "evaluator"])
_id = click.argument("job_id", metavar="ID", type=click.UUID)


def _rows(job: Any) -> str:
    progress = job["progress"]
    total = progress["rows_total"]
    return str(progress["rows_done"]) if total is None else f"{progress['rows_done']}/{total}"


_COLUMNS = (
    Column("id", lambda each: each["id"]),
    Column("name", lambda each: each["name"]),
    Column("kind", lambda each: each["job_type"]),
    Column("status", lambda each: each["status"]),
    Column("rows", _rows, is_number=True),
    Column("updated", lambda each: each["updated_at"][:19]),
    Column("why", lambda each: each["why"]),
)


@click.group()
def job() -> None:
    """Jobs: the steps of evaluations, and how they go.

    Jobs of a folder go on while a server or `tracker evaluate` looks after them.
    """


@job.command("ls")
@click.option("--kind", "kinds", type=_KINDS, multiple=True, help="Only these; may be repeated.")
@limit_option
@project_id_option
@as_json_option
@with_evaluation
def list_jobs(
    api: EvaluationApi, kinds: tuple[str, ...], limit: int, project_id: str | None, as_json: bool
) -> None:
    """List jobs, newest first."""
    found = api.pages("/jobs/", limit, job_types=list(kinds), project_id=project_id)
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no jobs; `tracker evaluate` makes some")


@job.command()
@_id
@as_json_option
@with_evaluation
def show(api: EvaluationApi, job_id: Any, as_json: bool) -> None:
    """Show a job, and why it is in its state."""
    _print(api.get(f"/jobs/{job_id}"), as_json)


@job.command()
@_id
@with_evaluation
def logs(api: EvaluationApi, job_id: Any) -> None:
    """Print what happened to a job, and what its workers printed."""
    for line in api.get(f"/jobs/{job_id}/logs")["logs"].splitlines():
        click.echo(visible(line))


@job.command()
@_id
@as_json_option
@with_evaluation
def cancel(api: EvaluationApi, job_id: Any, as_json: bool) -> None:
    """Ask a job to stop; what it has done is kept."""
    _print(api.post(f"/jobs/{job_id}/cancel"), as_json)


@job.command()
@_id
@as_json_option
@with_evaluation
def retry(api: EvaluationApi, job_id: Any, as_json: bool) -> None:
    """Have a job that failed or was stopped do the rest."""
    _print(api.post(f"/jobs/{job_id}/retry"), as_json)


@job.command()
@_id
@with_evaluation
def result(api: EvaluationApi, job_id: Any) -> None:
    """Print the whole result of a job as JSON."""
    print_json(api.fetch(api.get(f"/jobs/{job_id}/result/download")["download_url"]))


def _print(found: Any, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    fields = {column.header: column.text(found) for column in _COLUMNS}
    print_record(fields | {"dataset": found["dataset"], "attempt": str(found["attempt"])})
    for event in found["events"]:
        click.echo(visible(f"  {event['at'][:19]}  {event['status']:<9}  {event['why']}"))
