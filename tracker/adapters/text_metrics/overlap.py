"""Words and runs of words that answer and ground truth share."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bleu", "rouge"]

_BY_COUNT = ("rouge1", "rouge2")
_BY_ORDER = ("rougeL", "rougeLsum")

# The longest common subsequence takes a list entry for each pair of words: so many are 80 MB, and seconds.
_MOST_PAIRS = 10_000_000


def rouge(predictions: Sequence[str], truths: Sequence[str]) -> dict[str, list[float | None]]:
    """F-measures (C.-Y. Lin, "ROUGE: a package for automatic evaluation of summaries", 2004), 0 to 1.

    Two texts that have more than ten million pairs of words, such as 3,200 words each, have no ROUGE-L.
    """
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 - an extra, and it takes seconds
    from rouge_score.tokenizers import DefaultTokenizer  # noqa: PLC0415

    tokenizer = DefaultTokenizer(use_stemmer=False)
    whole = RougeScorer([*_BY_COUNT, *_BY_ORDER], tokenizer=tokenizer)
    counts = RougeScorer([*_BY_COUNT], tokenizer=tokenizer)
    found: dict[str, list[float | None]] = {name: [] for name in (*_BY_COUNT, *_BY_ORDER)}
    for prediction, truth in zip(predictions, truths, strict=True):
        # A word and its space take two characters, so that short texts need not be split for it.
        pairs = len(prediction) * len(truth) // 4
        if pairs > _MOST_PAIRS:
            pairs = len(tokenizer.tokenize(prediction)) * len(tokenizer.tokenize(truth))
        scores = (whole if pairs <= _MOST_PAIRS else counts).score(truth, prediction)
        for name, series in found.items():
            series.append(float(scores[name].fmeasure) if name in scores else None)
    return found


def bleu(predictions: Sequence[str], truths: Sequence[str]) -> list[float]:
    """BLEU of each sentence (K. Papineni et al., ACL 2002), from 0 to 1.

    Runs of words that are longer than the answer do not count, and a precision of 0 is smoothed as NIST's
    ``mteval`` does (B. Chen and C. Cherry, WMT 2014, method 3). Without that, sentences without four words in
    a row of the ground truth would have 0.
    """
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415 - an extra

    scorer = BLEU(effective_order=True, force=True)
    # Rounding takes a perfect one beyond 100.
    return [
        min(1.0, scorer.sentence_score(prediction, [truth]).score / 100)
        for prediction, truth in zip(predictions, truths, strict=True)
    ]
