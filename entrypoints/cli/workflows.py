"""``tracker workflow``."""

from __future__ import annotations

from typing import Any

import click

from tracker.domain.evaluation.models import ModelReference

from .datasets import limit_option, project_id_option
from .evaluation_api import EvaluationApi, with_evaluation
from .evaluation_output import print_comparison, print_kept, print_means
from .output import Column, as_json_option, print_json, print_record, print_table
from .text import visible

__all__ = ["names", "workflow"]

_id = click.argument("workflow_id", metavar="ID", type=click.UUID)
_COLUMNS = (
    Column("id", lambda each: each["id"]),
    Column("evaluation", lambda each: each["evaluation"]),
    Column("name", lambda each: each["name"]),
    Column("model", lambda each: each["model"]),
    Column("status", lambda each: each["status"]),
    Column("why", lambda each: each["why"]),
)


def names(text: str | None) -> list[str] | None:
    """Names between commas; ``None`` of nothing."""
    return None if text is None else [each.strip() for each in text.split(",") if each.strip()]


@click.group()
def workflow() -> None:
    """Workflows: one model on an evaluation's dataset, and its scores."""


@workflow.command("ls")
@limit_option
@project_id_option
@as_json_option
@with_evaluation
def list_workflows(api: EvaluationApi, limit: int, project_id: str | None, as_json: bool) -> None:
    """List the workflows of the newest evaluations."""
    evaluations = api.pages("/experiments/", limit, project_id=project_id)
    found = [each | {"evaluation": one["name"]} for one in evaluations for each in one["workflows"]]
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no workflows; `tracker evaluate DATASET --model ...` makes some")


@workflow.command()
@_id
@as_json_option
@with_evaluation
def show(api: EvaluationApi, workflow_id: Any, as_json: bool) -> None:
    """Show a workflow, its jobs and its scores."""
    found = api.get(f"/workflows/{workflow_id}")
    if as_json:
        print_json(found)
        return
    shown = ("id", "name", "model", "status", "why", "system_prompt", "tracked_experiment_id")
    print_record({name: str(found[name] or "") for name in shown})
    for job in found["jobs"]:
        rows = "" if job["rows_total"] is None else f"  {job['rows_done']}/{job['rows_total']} rows"
        click.echo(visible(f"  {job['id']}  {job['job_type']:<9}  {job['status']}{rows}"))
    if found["status"] == "succeeded":
        click.echo()
        print_means(api, [found])


@workflow.command()
@click.argument("evaluation_id", metavar="EVALUATION", type=click.UUID)
@click.option("--model", required=True, help="URL#name, or a name.")
@click.option("--provider", default="openai", show_default=True, help="How it is reached.")
@click.option("--name", help="By default the model's.")
@click.option("--metrics", help="Names between commas.")
@click.option("--system-prompt", help="By default the task's own.")
@click.option("--secret", help="Name of the secret with the endpoint's key.")
@click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Rows at once.")
@as_json_option
@with_evaluation
def create(
    api: EvaluationApi, evaluation_id: Any, *, model: str, provider: str, name: str | None,
    metrics: str | None, system_prompt: str | None, secret: str | None, concurrency: int, as_json: bool,
) -> None:  # fmt: skip
    """Have a model answer EVALUATION's dataset; a server, or the next `tracker evaluate`, does the work."""
    parsed = ModelReference.parsed(model, provider)
    found = api.post(
        "/workflows/",
        {
            "name": name or parsed.name, "experiment_id": str(evaluation_id), "model": parsed.name,
            "provider": parsed.provider, "base_url": parsed.base_url, "metrics": names(metrics),
            "system_prompt": system_prompt, "secret_key_name": secret, "batch_size": concurrency,
        },
    )  # fmt: skip
    if as_json:
        print_json(found)
    else:
        click.echo(found["id"])


@workflow.command()
@_id
@click.option("--force", is_flag=True, help="Stop it first, if it runs.")
@with_evaluation
def rm(api: EvaluationApi, workflow_id: Any, force: bool) -> None:
    """Delete a workflow with its jobs and what they left."""
    print_kept(api.delete(f"/workflows/{workflow_id}", force=str(force).lower()))


@workflow.command()
@click.argument("first_id", metavar="FIRST", type=click.UUID)
@click.argument("second_id", metavar="SECOND", type=click.UUID)
@as_json_option
@with_evaluation
def compare(api: EvaluationApi, first_id: Any, second_id: Any, as_json: bool) -> None:
    """Tell whether SECOND does better than FIRST, and whether that may be chance."""
    found = api.get("/workflows/compare", first=str(first_id), second=str(second_id))
    if as_json:
        print_json(found)
        return
    first, second = (api.get(f"/workflows/{each}")["name"] for each in (first_id, second_id))
    print_comparison(found, first, second)


@workflow.command()
@_id
@with_evaluation
def result(api: EvaluationApi, workflow_id: Any) -> None:
    """Print the whole compiled result of a workflow as JSON."""
    print_json(api.fetch(api.get(f"/workflows/{workflow_id}/result/download")))
