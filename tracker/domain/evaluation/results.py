"""The documents that jobs leave: of inference, of evaluation, and of both together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.errors import Conflict
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.inference_tally import InferenceTally
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.scoring.intervals import Mean, means

__all__ = [
    "NOT_DONE", "Document", "MetricSamples", "compiled", "evaluation_result", "flat_means",
    "inference_result",
]  # fmt: skip

NOT_DONE = "not done"
"""In the place of the error of a row of which nothing is known."""


Document = dict[str, Any]
MetricSamples = Mapping[str, Mapping[str, Sequence[float | None]]]
"""Of each metric its series, of each series its scores by row."""


def inference_result(
    rows: Sequence[Row],
    outcomes: Mapping[int, RowOutcome],
    *,
    model: str,
    seconds: float,
    parameters: Mapping[str, Any],
) -> Document:
    """What a model answered, in the dataset's order.

    Args:
        rows: that were to be done.
        outcomes: by row number; a row without an answer has ``null``, and its error beside it.
        model: that answered.
        seconds: from the first row to the last.
        parameters: of the job.
    """
    found = [outcomes.get(row.number) for row in rows]
    truths = [row.ground_truth for row in rows]
    tally = InferenceTally()
    tokens = [tally.add(one) for one in found]
    return {
        "metrics": tally.averages(),
        "artifacts": {
            "predictions": [None if one is None else one.prediction for one in found],
            "reasoning": [None if one is None else one.reasoning for one in found],
            "errors": [NOT_DONE if one is None else one.error for one in found],
            "examples": [row.example for row in rows],
            "ground_truth": truths if any(truth is not None for truth in truths) else None,
            "model": model,
            "inference_time": seconds,
            "inference_metrics": tokens,
            "cost": tally.cost(),
        },
        "parameters": dict(parameters),
    }


def evaluation_result(
    samples: MetricSamples,
    *,
    corpus: Mapping[str, Mapping[str, Mean]] | None = None,
    predictions: Sequence[str | None],
    ground_truth: Sequence[str | None],
    seconds: float,
    parameters: Mapping[str, Any],
    seed: int = 0,
) -> Document:
    """The scores of answers: of each metric its series by row, each with its mean and interval.

    Args:
        samples: scores by row.
        corpus: of metrics that are one value of all rows, with its interval.
        predictions: by row.
        ground_truth: by row.
        seconds: that scoring took.
        parameters: of the job.
        seed: of the intervals.
    """
    flat = {(m, s): values for m, series in samples.items() for s, values in series.items()}
    found = means({f"{m}\n{s}": values for (m, s), values in flat.items()}, seed)
    metrics: dict[str, dict[str, Any]] = {}
    for (metric, series), values in flat.items():
        entry = metrics.setdefault(metric, {})
        entry[series] = list(values)
        entry.update(_told(series, found[f"{metric}\n{series}"], "_mean"))
    for metric, whole in (corpus or {}).items():
        for series, value in whole.items():
            metrics.setdefault(metric, {}).update(_told(series, value, ""))
    return {
        "metrics": metrics,
        "parameters": dict(parameters),
        "artifacts": {
            "predictions": list(predictions),
            "ground_truth": list(ground_truth),
            "evaluation_time": seconds,
        },
    }


def _told(series: str, mean: Mean, suffix: str) -> dict[str, Any]:
    return {
        f"{series}{suffix}": mean.value,
        f"{series}_interval": None if mean.interval is None else list(mean.interval),
        f"{series}_interval_kind": mean.kind.value,
        f"{series}_rows": mean.rows,
    }


def compiled(inference: Mapping[str, Any], evaluation: Mapping[str, Any]) -> Document:
    """Both documents as one.

    A parameter of both that differs keeps its value of the inference, and that of the evaluation under
    ``evaluation_<name>``.

    Raises:
        Conflict: they are not of the same answers.
    """
    answers = inference["artifacts"]["predictions"]
    if answers != evaluation["artifacts"]["predictions"]:
        raise Conflict("the evaluation is not of the answers of this inference: their predictions differ")
    parameters = dict(inference["parameters"])
    for name, value in evaluation["parameters"].items():
        free = name not in parameters or parameters[name] == value
        parameters[name if free else f"evaluation_{name}"] = value
    return {
        "metrics": {**inference["metrics"], **evaluation["metrics"]},
        "parameters": parameters,
        "artifacts": {**evaluation["artifacts"], **inference["artifacts"]},
    }


def flat_means(document: Mapping[str, Any]) -> dict[str, float]:
    """What a tracked experiment records as metrics: means and values by name, without what is missing.

    ``rouge.rouge1``, but plain ``bleu`` where metric and series have one name.
    """
    found: dict[str, float] = {}
    for metric, entry in document["metrics"].items():
        if not isinstance(entry, Mapping):
            found[metric] = entry
            continue
        for name, value in entry.items():
            series = name.removesuffix("_mean")
            is_value = name.endswith("_mean") or f"{name}_interval_kind" in entry
            if is_value and not isinstance(value, list):
                found[metric if series == metric else f"{metric}.{series}"] = value
    return {name: float(value) for name, value in found.items() if value is not None}
