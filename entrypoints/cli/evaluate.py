"""``tracker evaluate``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from tracker.domain.errors import TrackerError
from tracker.domain.evaluation.models import ModelReference

from .errors import REFUSED, Failure
from .evaluation_api import EvaluationApi, with_evaluation
from .evaluation_output import print_comparison, print_means
from .following import Workflows, followed
from .lookup import is_id
from .output import as_json_option, print_json
from .thresholds import THRESHOLD, Threshold
from .workflows import names

__all__ = ["evaluate"]

_TASKS = click.Choice(["summarization", "translation", "text-generation"])


@click.command()
@click.argument("dataset", metavar="DATASET")
@click.option("--model", "models", multiple=True, required=True, help="URL#name, or a name; may be repeated.")
@click.option("--metrics", help="Names between commas, such as rouge,bleu; by default the usual ones.")
@click.option("--max-samples", type=int, default=-1, help="Only the first rows.")
@click.option("--task", type=_TASKS, default="summarization", show_default=True, help="What is asked for.")
@click.option("--source-language", help="Of a translation.")
@click.option("--target-language", help="Of a translation.")
@click.option("--system-prompt", help="What models are told; by default the task's own.")
@click.option("--judge", help="URL#name of the model that judges, for metrics such as g_eval_summarization.")
@click.option("--provider", default="openai", show_default=True, help="How models are reached.")
@click.option("--secret", help="Name of the secret with the key of the models' endpoint.")
@click.option("--judge-secret", help="Name of the secret with the key of the judge's endpoint.")
@click.option("--temperature", type=click.FloatRange(0, 2), help="0 takes the likeliest word each time.")
@click.option("--max-new-tokens", type=click.IntRange(1), help="Of an answer.")
@click.option("--concurrency", type=click.IntRange(1), default=4, show_default=True, help="Rows at once.")
@click.option(
    "--requests-per-minute", "rate", type=click.FloatRange(0, 10_000_000, min_open=True),
    help="That a model is sent at most.",
)  # fmt: skip
@click.option("--timeout", type=click.IntRange(1), default=3600, show_default=True, help="Seconds for a job.")
@click.option("--name", help="Of the evaluation; by default that of the dataset.")
@click.option("--project", "project_id", metavar="ID", help="Where it belongs; by default `evaluations`.")
@click.option(
    "--threshold", "thresholds", type=THRESHOLD, multiple=True,
    help="That each model must meet, such as 'rouge.rougeL>=0.3'; may be repeated.",
)  # fmt: skip
@as_json_option
@with_evaluation
def evaluate(api: EvaluationApi, /, as_json: bool, thresholds: Sequence[Threshold], **asked: Any) -> None:
    """Evaluate models on DATASET, a file or the id of a dataset; no server is needed.

    \b
    tracker evaluate articles.csv --model http://localhost:8000/v1#small --metrics rouge,bleu
    tracker evaluate articles.csv --model http://a/v1#old --model http://b/v1#new
    tracker evaluate articles.csv --model http://a/v1#m --threshold 'rouge.rougeL>=0.3'

    Prints each mean with its 95 % interval and, of several models, whether they differ from the first.
    What a model has answered is remembered: the same again costs nothing.

    Exit codes: 1 when a workflow fails or a threshold is not met, 130 when it is interrupted; its jobs are
    stopped then, and what they had done is kept.
    """  # noqa: D301  (an escape is what click wants)
    rows, begun = _begun(api, asked)
    ended = followed(api, [each["id"] for each in begun], rows * len(begun))
    good = [each for each in ended if each["status"] == "succeeded"]
    compared = [api.get("/workflows/compare", first=good[0]["id"], second=each["id"]) for each in good[1:]]
    if as_json:
        print_json({"workflows": ended, "comparisons": compared})
    elif good:
        print_means(api, good)
        for each, second in zip(compared, good[1:], strict=True):
            print_comparison(each, good[0]["name"], second["name"])
    _check(ended, thresholds)


def _begun(api: EvaluationApi, asked: Mapping[str, Any]) -> tuple[int, Workflows]:
    """How many rows there are to answer, and the workflows, one a model."""
    models = [ModelReference.parsed(each, asked["provider"]) for each in asked["models"]]
    key = asked["dataset"]
    if is_id(key):
        dataset = api.get(f"/datasets/{key}")
    elif Path(key).is_file():
        dataset = api.upload(Path(key), asked["project_id"])
    else:
        raise click.BadParameter(f"{key!r} is neither a file nor the id of a dataset", param_hint="DATASET")
    evaluation = api.post(
        "/experiments/",
        {
            "name": asked["name"] or dataset["filename"], "dataset": dataset["id"],
            "max_samples": asked["max_samples"], "project_id": asked["project_id"],
            "task_definition": _task(asked),
        },
    )  # fmt: skip
    most = asked["max_samples"]
    rows = dataset["rows"] if most <= 0 else min(most, dataset["rows"])
    labels = _labels(models)
    with _whole_or_not(api, evaluation["id"]):
        made = [
            _workflow(api, evaluation["id"], model, label, asked)
            for model, label in zip(models, labels, strict=True)
        ]
    return rows, made


@contextmanager
def _whole_or_not(api: EvaluationApi, evaluation_id: str) -> Iterator[None]:
    """Removes an evaluation when one of its models is refused: the others would run, and be paid for."""
    try:
        yield
    except BaseException:
        with suppress(TrackerError):  # what went wrong first is what is told
            api.delete(f"/experiments/{evaluation_id}")
        raise


def _workflow(
    api: EvaluationApi, evaluation_id: str, model: ModelReference, label: str, asked: Mapping[str, Any]
) -> Any:
    drawing = {name: asked[name] for name in ("temperature", "max_new_tokens") if asked[name] is not None}
    return api.post(
        "/workflows/",
        {
            "name": label, "experiment_id": evaluation_id, "model": model.name, "provider": model.provider,
            "base_url": model.base_url, "secret_key_name": asked["secret"],
            "batch_size": asked["concurrency"], "requests_per_minute": asked["rate"],
            "system_prompt": asked["system_prompt"],
            "metrics": names(asked["metrics"]), "job_timeout_sec": asked["timeout"],
            "generation_config": drawing or None, "llm_as_judge": _judge(asked),
        },
    )  # fmt: skip


def _task(asked: Mapping[str, Any]) -> dict[str, Any]:
    given = ("source_language", "target_language")
    return {"task": asked["task"]} | {name: asked[name] for name in given if asked[name] is not None}


def _judge(asked: Mapping[str, Any]) -> dict[str, Any] | None:
    if asked["judge"] is None:
        return None
    judge = ModelReference.parsed(asked["judge"])
    found = {
        "model_name": judge.name,
        "model_base_url": judge.base_url,
        "secret_key_name": asked["judge_secret"],
    }
    return {name: value for name, value in found.items() if value is not None}


def _labels(models: Sequence[ModelReference]) -> list[str]:
    """Names of models; the whole address where one name has two."""
    short = [each.name[:255] for each in models]
    return short if len(set(short)) == len(short) else [str(each)[-255:] for each in models]


def _check(ended: Workflows, thresholds: Sequence[Threshold]) -> None:
    """Lets pass workflows that have all succeeded and meet all thresholds."""
    wrong = [
        f"{each['name']}: {each['status']}: {each['why']}" for each in ended if each["status"] != "succeeded"
    ]
    for each in ended:
        if each["status"] == "succeeded":
            broken = [threshold.broken(each["metrics"]) for threshold in thresholds]
            wrong += [f"{each['name']}: {why}" for why in broken if why is not None]
    if wrong:
        raise Failure("; ".join(wrong), REFUSED)
