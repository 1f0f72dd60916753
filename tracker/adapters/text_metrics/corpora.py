"""Metrics that are one value of all rows, with what they could have been of other rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tracker.domain.evaluation.scoring.intervals import ALPHA, IntervalKind, Mean
from tracker.domain.evaluation.scoring.resampling import resampled_scores

__all__ = ["corpus_mean", "statistics_of"]

Statistics = list[list[float]]


def corpus_mean(name: str, pairs: Sequence[tuple[str, str]], rows: int, seed: int) -> Mean:
    """The value of ``corpus_bleu``, ``chrf`` or ``ter``, in per cent, with its bootstrap 95 % interval.

    Resamples add up the statistics of sentences, such as counts of matches; no text is looked at twice.

    Args:
        name: which.
        pairs: answer and ground truth of the rows that have both.
        rows: how many there are in all.
        seed: of the resamples.
    """
    missing = rows - len(pairs)
    if not pairs:
        return Mean(None, None, IntervalKind.NONE, 0, missing)
    statistics, score = statistics_of(name, [answer for answer, _ in pairs], [truth for _, truth in pairs])
    # Of one row every resample is that row.
    resampled = resampled_scores(statistics, score, seed, draws=1 if len(pairs) < 2 else None)
    if resampled is None or not math.isfinite(resampled.value):
        return Mean(None, None, IntervalKind.NONE, len(pairs), missing)
    # When all rows are alike, so are all resamples, and a point would promise too much.
    alike = len(pairs) < 2 or float(resampled.scores[0]) == float(resampled.scores[-1])
    interval = None if alike else resampled.interval(ALPHA)
    kind = IntervalKind.NONE if interval is None else IntervalKind.BOOTSTRAP
    return Mean(resampled.value, interval, kind, len(pairs), missing)


def statistics_of(
    name: str, answers: Sequence[str], truths: Sequence[str]
) -> tuple[Statistics, Callable[[Sequence[float]], float]]:
    """The statistics of each sentence, and the score of such statistics, added up."""
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415 - an extra
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415
    from sacrebleu.metrics.ter import TER  # noqa: PLC0415

    metric: Any
    match name:
        case "corpus_bleu":
            metric = BLEU(force=True)
        case "chrf":
            metric = CHRF()
        case _:
            metric = TER()
    statistics: Statistics = metric._extract_corpus_statistics(answers, [truths])

    def score(sums: Sequence[float]) -> float:
        # Sums of whole numbers are whole; it wants them as such, and changes the list that it is given.
        whole = [round(value) for value in sums]
        return float(metric._compute_score_from_stats(whole).score)

    return statistics, score
