"""A hypothesis as it is shown."""

from __future__ import annotations

from tracker.domain.frozen import Frozen
from tracker.domain.hypotheses.evidence import TargetEvidence
from tracker.domain.hypotheses.hypothesis import Hypothesis, HypothesisStatus
from tracker.domain.ids import HypothesisId

__all__ = ["JudgedHypothesis"]


class JudgedHypothesis(Frozen):
    """A hypothesis with its verdict, as of one moment.

    Attributes:
        hypothesis: as :meth:`Hypothesis.without_experiments` for those who may not see experiments.
        author: display name; empty when nobody knows any more.
        computed_status: what the numbers say.
        score: on which that rests, from -1 to 1; ``None`` when nothing could be compared, or for those who
            may not see metrics and experiments.
        headline: the target that says most; ``None`` as the score.
    """

    hypothesis: Hypothesis
    author: str
    computed_status: HypothesisStatus
    score: float | None
    headline: TargetEvidence | None

    @property
    def id(self) -> HypothesisId:
        """The hypothesis's."""
        return self.hypothesis.id

    @property
    def status(self) -> HypothesisStatus:
        """The one that counts: as decided, else the computed one."""
        return self.hypothesis.judged(self.computed_status)
