"""``tracker demo --evaluation``."""

from __future__ import annotations

import importlib.util
import shlex
import tempfile
from pathlib import Path

import click

from .evaluation_api import EvaluationApi
from .evaluation_output import print_comparison, print_means
from .following import followed
from .target import Target

__all__ = ["run_evaluation"]

_CONCURRENCY = 16


def run_evaluation(target: Target) -> None:
    """Evaluates three summarisers by rule on docstrings of the standard library, and shows which is best."""
    from tracker.demo.docstrings import LICENSE, SOURCE, write_docstrings  # noqa: PLC0415  (late, with uvicorn)
    from tracker.demo.summarisers import SUMMARISERS, served  # noqa: PLC0415

    has_rouge = importlib.util.find_spec("rouge_score") is not None
    metrics = ["rouge", "meteor"] if has_rouge else ["token_f1", "meteor"]
    with EvaluationApi(target) as api, served() as url, tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "docstrings.jsonl")
        write_docstrings(file)
        dataset = api.upload(file)
        click.echo(f"{dataset['rows']} {SOURCE} ({LICENSE}):")
        click.echo("the text is to be summarised, its first line is the ground truth\n")
        evaluation = api.post("/experiments/", {"name": "docstrings", "dataset": dataset["id"]})
        begun = [
            api.post(
                "/workflows/",
                {
                    "name": name, "experiment_id": evaluation["id"], "model": name, "provider": "openai",
                    "base_url": url, "metrics": metrics, "batch_size": _CONCURRENCY,
                },
            )
            for name in SUMMARISERS
        ]  # fmt: skip
        ended = followed(api, [each["id"] for each in begun], dataset["rows"] * len(begun))
        print_means(api, ended)
        for each in ended[1:]:
            compared = api.get("/workflows/compare", first=ended[0]["id"], second=each["id"])
            print_comparison(compared, ended[0]["name"], each["name"])
    where = "" if target.data is None else f" --data {shlex.quote(str(target.data))}"
    click.echo(f"\nSee also: tracker workflow ls{where}, tracker dataset ls{where}, tracker ls{where}")
