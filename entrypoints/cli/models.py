"""``tracker model``."""

from __future__ import annotations

import click

from tracker.domain.evaluation.models import ModelReference

from .evaluation_api import EvaluationApi, with_evaluation
from .output import Column, as_json_option, print_json, print_table
from .text import number

__all__ = ["model"]

_TASKS = ("summarization", "translation", "text-generation")
_COLUMNS = (
    Column("provider", lambda each: each["provider"]),
    Column("model", lambda each: each["model"]),
    Column("tasks", lambda each: ", ".join(name for task in each["tasks"] for name in task)),
    Column("in $/1M", lambda each: number(each["input_price"]), is_number=True),
    Column("out $/1M", lambda each: number(each["output_price"]), is_number=True),
    Column("origin", lambda each: each["origin"]),
)


@click.group()
def model() -> None:
    """Models: the catalogue of those that are offered."""


@model.command("ls")
@click.option("--task", "tasks", multiple=True, help="Good for this; may be repeated.")
@as_json_option
@with_evaluation
def list_models(api: EvaluationApi, tasks: tuple[str, ...], as_json: bool) -> None:
    """List models."""
    found = api.pages("/models/", 100_000, tasks=list(tasks))
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no models; `tracker model add` offers one")


@model.command()
@click.argument("reference", metavar="MODEL")
@click.option("--provider", default="openai", show_default=True, help="How it is reached.")
@click.option("--task", "tasks", type=click.Choice(_TASKS), multiple=True, default=["summarization"])
@click.option("--description", default="", help="In words.")
@click.option("--input-price", type=click.FloatRange(0), help="For a million tokens, in US dollars.")
@click.option("--output-price", type=click.FloatRange(0), help="For a million tokens, in US dollars.")
@as_json_option
@with_evaluation
def add(
    api: EvaluationApi, reference: str, *, provider: str, tasks: tuple[str, ...], description: str,
    input_price: float | None, output_price: float | None, as_json: bool,
) -> None:  # fmt: skip
    """Offer MODEL: a name, or URL#name such as http://localhost:8000/v1#small."""
    parsed = ModelReference.parsed(reference, provider)
    found = api.post(
        "/models/",
        {
            "model": parsed.name, "provider": parsed.provider, "base_url": parsed.base_url,
            "tasks": list(tasks), "description": description, "input_price": input_price,
            "output_price": output_price,
        },
    )  # fmt: skip
    if as_json:
        print_json(found)


@model.command()
@click.argument("name", metavar="MODEL")
@click.option("--provider", default="openai", show_default=True, help="How it is reached.")
@with_evaluation
def rm(api: EvaluationApi, name: str, provider: str) -> None:
    """Offer MODEL no more."""
    api.delete("/models/", provider=provider, model=name)
