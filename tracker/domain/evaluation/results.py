"""The documents that jobs leave: of inference, of evaluation, and of both together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.errors import Conflict
from tracker.domain.evaluation.datasets.rows import Row
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.evaluation.scoring.intervals import Mean, means

__all__ = ["Document", "MetricSamples", "compiled", "evaluation_result", "flat_means", "inference_result"]

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
    tokens = [None if one is None else _tokens(one) for one in found]
    return {
        "metrics": _average_tokens([one for one in tokens if one is not None]),
        "artifacts": {
            "predictions": [None if one is None else one.prediction for one in found],
            "reasoning": [None if one is None else one.reasoning for one in found],
            "errors": ["not done" if one is None else one.error for one in found],
            "examples": [row.example for row in rows],
            "ground_truth": truths if any(truth is not None for truth in truths) else None,
            "model": model,
            "inference_time": seconds,
            "inference_metrics": tokens,
            "cost": _cost(found),
        },
        "parameters": dict(parameters),
    }


def _tokens(outcome: RowOutcome) -> dict[str, int | None]:
    given, written, thought = outcome.input_tokens, outcome.output_tokens, outcome.reasoning_tokens
    return {
        "prompt_tokens": given,
        "completion_tokens": written,
        "total_tokens": None if given is None or written is None else given + written,
        "reasoning_tokens": thought,
        "answer_tokens": None if written is None else max(0, written - (thought or 0)),
    }


def _average_tokens(rows: Sequence[Mapping[str, int | None]]) -> dict[str, float | None]:
    names = ("prompt_tokens", "total_tokens", "completion_tokens", "reasoning_tokens", "answer_tokens")
    found: dict[str, float | None] = {}
    for name in names:
        known = [value for row in rows if (value := row[name]) is not None]
        found[f"avg_{name}"] = math.fsum(known) / len(known) if known else None
    return found


def _cost(outcomes: Sequence[RowOutcome | None]) -> float | None:
    """What was paid; ``None`` when the price of an answer is not known."""
    paid = [one for one in outcomes if one is not None and one.is_answered and not one.was_remembered]
    costs = [one.cost for one in paid if one.cost is not None]
    return math.fsum(costs) if len(costs) == len(paid) else None


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
