"""A verdict in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.evidence import Absence, LeftOut, TargetEvidence
from tracker.domain.hypotheses.facts import ExperimentRow
from tracker.domain.hypotheses.hypothesis import Hypothesis, HypothesisStatus

__all__ = ["why"]

_ABSENCES = {
    Absence.NOT_STARTED: "not started",
    Absence.NO_VALUE: "without a finite value",
    Absence.NO_PARENT: "without a parent",
    Absence.OWN_BASELINE: "the baseline itself",
    Absence.BASELINE_DELETED: "without its baseline, which was deleted",
    Absence.NO_BASELINE: "without a complete experiment to be the best",
    Absence.BASELINE_WITHOUT_VALUE: "with a baseline that has no value",
}

_CLAIMS = (HypothesisStatus.SUPPORTED, HypothesisStatus.REFUTED)


def why(
    status: HypothesisStatus,
    score: float | None,
    hypothesis: Hypothesis,
    *,
    targets: Sequence[TargetEvidence],
    rows: Sequence[ExperimentRow],
    left_out: Sequence[LeftOut],
    unread: bool = False,
) -> str:
    """Sentences that name the numbers on which the verdict rests.

    Args:
        status: the verdict.
        score: of the hypothesis.
        hypothesis: which.
        targets: its targets with what is known of them.
        rows: the linked experiments.
        left_out: which of them say nothing of a target.
        unread: whether series could not be read.
    """
    if not targets:
        return "It names no target metric, so nothing can be compared."
    if not rows:
        return "No experiment is linked to it."
    sentences = [_by_score(status, score, hypothesis.threshold)]
    sentences += [_of_target(target) for target in targets if target.effect is not None]
    if status in _CLAIMS and not any(target.interval for target in targets):
        sentences.append("Without an interval chance alone may say the same: add replicates.")
    open_ = Counter(row.status for row in rows if not row.status.has_ended)
    if open_:
        told = ", ".join(f"{open_[each]} {each.value}" for each in Status if each in open_)
        sentences.append(f"Not all linked experiments have ended: {told}.")
    sentences += _left_out(left_out, several=len(targets) > 1)
    if unread and score is not None:
        sentences.append("Time series could not be read, so stability counts as 1.")
    return " ".join(sentences)


def _by_score(status: HypothesisStatus, score: float | None, threshold: float) -> str:
    if score is None:
        return "Nothing could be compared yet."
    if abs(score) <= threshold:
        return f"The score {_number(score)} lies between -{_number(threshold)} and {_number(threshold)}."
    beyond = f"above {_number(threshold)}" if score > 0 else f"below -{_number(threshold)}"
    said = f"The score {_number(score)} is {beyond}"
    if status in _CLAIMS:
        return f"{said}."
    return f"{said}, but the intervals do not say the same."


def _of_target(target: TargetEvidence) -> str:
    name = target.name if target.label is None else f"{target.name} ({target.label})"
    effect = 0.0 if target.effect is None else target.effect
    moved = "did not change" if effect == 0 else "got better" if effect > 0 else "got worse"
    amount = "" if effect == 0 else f" by {_number(abs(effect))}"
    against = f"{target.n} against {target.baseline_n} experiments"
    if target.interval is None:
        return (
            f"{name} {moved}{amount} ({against}); for an interval it takes three complete replicates on "
            "both sides."
        )
    low, high = target.interval
    place = "lies above 0" if low > 0 else "lies below 0" if high < 0 else "includes 0"
    level = _number(100 * (target.level or 0))
    return (
        f"{name} {moved}{amount} ({against}); the {level} % interval of the improvement, {_number(low)} to "
        f"{_number(high)} (p = {_number(target.p or 0.0)}), {place}."
    )


def _left_out(left_out: Sequence[LeftOut], *, several: bool) -> list[str]:
    sentences = []
    for name in dict.fromkeys(each.name for each in left_out):
        counts = Counter(each.reason for each in left_out if each.name == name)
        told = ", ".join(f"{n} {_ABSENCES[reason]}" for reason, n in sorted(counts.items()))
        sentences.append(f"Not compared{f' by {name}' if several else ''}: {told}.")
    return sentences


def _number(value: float) -> str:
    return f"{value:.3g}"
