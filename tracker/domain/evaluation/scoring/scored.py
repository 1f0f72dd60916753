"""The scores that need nothing installed and nobody asked, by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tracker.domain.evaluation.scoring.matching import (
    exact_match,
    expression,
    is_json,
    matches,
    token_f1,
    token_length,
)
from tracker.domain.evaluation.scoring.meteor import meteor_exact
from tracker.domain.evaluation.scoring.names import Chosen

__all__ = ["Samples", "is_own", "own_samples"]

Samples = dict[str, dict[str, list[float | None]]]
"""Of each metric its series, of each series a score a row; ``None`` where there is none."""

_BOTH: Mapping[str, Callable[[str, str], float]] = {
    "exact_match": exact_match,
    "token_f1": token_f1,
    "meteor_exact": meteor_exact,
}
_ALONE: Mapping[str, Callable[[str], float]] = {"json_valid": is_json}


def is_own(metric: Chosen) -> bool:
    """Whether :func:`own_samples` has it; others come through ports."""
    return metric.spec.extra is None and not metric.spec.needs_judge


def own_samples(
    metrics: Iterable[Chosen], predictions: Sequence[str | None], truths: Sequence[str | None]
) -> Samples:
    """The scores of all rows under the names by which the metrics were asked for; others are passed over.

    A row without an answer has no score, and one without ground truth none that compares with it: neither is
    counted as 0, and the mean says of how many rows it is.

    Args:
        metrics: which.
        predictions: by row.
        truths: by row.
    """
    return {metric.asked: _samples(metric, predictions, truths) for metric in metrics if is_own(metric)}


def _samples(
    metric: Chosen, predictions: Sequence[str | None], truths: Sequence[str | None]
) -> dict[str, list[float | None]]:
    name = metric.spec.name
    if (both := _BOTH.get(name)) is not None:
        pairs = zip(predictions, truths, strict=True)
        scores = [None if p is None or t is None else both(p, t) for p, t in pairs]
        return {metric.asked: scores}
    if name == "token_length":
        return {
            "pred_token_length": [None if text is None else token_length(text) for text in predictions],
            "ref_token_length": [None if text is None else token_length(text) for text in truths],
        }
    if name == "regex":
        pattern = expression(metric.argument)
        return {"regex": [None if text is None else matches(text, pattern) for text in predictions]}
    alone = _ALONE[name]
    return {metric.asked: [None if text is None else alone(text) for text in predictions]}
