"""Which package has which metric, and what is said when it is not installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from tracker.adapters.text_metrics.corpora import corpus_mean
from tracker.adapters.text_metrics.neural import bertscore, comet
from tracker.adapters.text_metrics.overlap import bleu, rouge
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.evaluation.scoring.intervals import Mean
from tracker.domain.evaluation.scoring.names import Chosen, remedy

__all__ = ["PackagedTextMetrics"]

_PACKAGES: Mapping[str, tuple[str, ...]] = {
    "evaluation": ("rouge_score", "sacrebleu"),
    "bertscore": ("bert_score",),
    "comet": ("comet",),
}


class PackagedTextMetrics:
    """A :class:`~tracker.ports.evaluation.text_metrics.TextMetrics`. Packages are imported when a metric of
    theirs is first asked for: some take seconds.

    ``rouge`` has F-measures of rouge-score, from 0 to 1: words are not stemmed, only a to z and digits
    count, and sentences of ``rougeLsum`` are lines. ``bleu`` is sacrebleu's of each sentence, smoothed, from
    0 to 1, as clients know it; ``corpus_bleu``, ``chrf`` and ``ter`` are sacrebleu's of all rows, in per
    cent, as they are published.
    """

    @property
    def installed(self) -> frozenset[str]:
        """See the port."""
        return frozenset(extra for extra, packages in _PACKAGES.items() if all(map(_is_there, packages)))

    def samples(
        self,
        metric: Chosen,
        predictions: Sequence[str | None],
        truths: Sequence[str | None],
        sources: Sequence[str],
    ) -> Mapping[str, list[float | None]]:
        """See the port."""
        self._require(metric)
        rows = list(zip(predictions, truths, sources, strict=True))
        both = [(row, p, t, s) for row, (p, t, s) in enumerate(rows) if p is not None and t is not None]
        found = _series(
            metric.spec.name, [p for _, p, _, _ in both], [t for _, _, t, _ in both], [s for *_, s in both]
        )
        places = [row for row, *_ in both]
        return {name: _spread(scores, places, len(rows)) for name, scores in found.items()}

    def corpus(
        self, metric: Chosen, predictions: Sequence[str | None], truths: Sequence[str | None], seed: int
    ) -> Mapping[str, Mean]:
        """See the port."""
        self._require(metric)
        both = [(p, t) for p, t in zip(predictions, truths, strict=True) if p is not None and t is not None]
        return {metric.spec.name: corpus_mean(metric.spec.name, both, len(predictions), seed)}

    def _require(self, metric: Chosen) -> None:
        extra = metric.spec.extra
        if extra is not None and extra not in self.installed:
            raise Unavailable(f"{metric.spec.name} {remedy(extra)}", 3600)


def _series(
    name: str, predictions: Sequence[str], truths: Sequence[str], sources: Sequence[str]
) -> Mapping[str, Sequence[float | None]]:
    match name:
        case "rouge":
            return rouge(predictions, truths)
        case "bleu":
            return {"bleu": bleu(predictions, truths)}
        case "bertscore":
            return bertscore(predictions, truths)
        case "comet":
            return {"comet": comet(predictions, truths, sources)}
    raise Invalid.field("metrics", f"{name} has no scores by row that a package computes")


def _spread(scores: Sequence[float | None], places: Sequence[int], rows: int) -> list[float | None]:
    """Scores at their rows; other rows have none."""
    spread: list[float | None] = [None] * rows
    for place, score in zip(places, scores, strict=True):
        spread[place] = score
    return spread


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # it was imported by hand, or is hidden
        return False
