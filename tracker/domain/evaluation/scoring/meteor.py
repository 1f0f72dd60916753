"""METEOR without WordNet: exact and stem matches only, so it is named ``meteor_exact``.

S. Banerjee and A. Lavie, "METEOR: an automatic metric for MT evaluation with improved correlation with human
judgments", ACL workshop 2005, with the parameters that are usual: alpha 0.9, beta 3, gamma 0.5. Words are
matched as NLTK does, from the end backwards and first come first served, so that values are those of NLTK
with an empty WordNet and the stems of Porter's own program; the fewest crossings, as in the paper, are not
searched for. Without synonyms a value is at most that of METEOR, and the two must not be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from tracker.domain.evaluation.scoring.porter import stem
from tracker.domain.evaluation.scoring.tokens import words_and_marks

__all__ = ["aligned", "meteor_exact"]

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5


def meteor_exact(prediction: str, truth: str) -> float:
    """From 0 to 1: a weighted harmonic mean of precision and recall, less a penalty for broken order."""
    found, wanted = words_and_marks(prediction.lower()), words_and_marks(truth.lower())
    matched = aligned(found, wanted)
    if not matched:
        return 0.0
    precision, recall = len(matched) / len(found), len(matched) / len(wanted)
    mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    penalty = GAMMA * math.pow(_chunks(matched) / len(matched), BETA)
    return (1 - penalty) * mean


def aligned(found: Sequence[str], wanted: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places that match, by the first's place: equal words first, then words of one stem."""
    left, right = list(enumerate(found)), list(enumerate(wanted))
    pairs = _taken(left, right, lambda word: word) + _taken(left, right, stem)
    return sorted(pairs)


def _taken(
    left: list[tuple[int, str]], right: list[tuple[int, str]], key: Callable[[str], str]
) -> list[tuple[int, int]]:
    """Matches, which are taken out of both."""
    places: dict[str, list[int]] = {}
    for place, (_, word) in enumerate(right):
        places.setdefault(key(word), []).append(place)
    pairs, used = [], set()
    for index in range(len(left) - 1, -1, -1):
        place, word = left[index]
        if open_places := places.get(key(word)):
            other = open_places.pop()  # the last one
            used.add(other)
            pairs.append((place, right[other][0]))
            del left[index]
    right[:] = [item for place, item in enumerate(right) if place not in used]
    return pairs


def _chunks(matched: Sequence[tuple[int, int]]) -> int:
    """Into how many runs the matches fall that are adjacent, and in order, on both sides."""
    return 1 + sum(
        (after[0] - before[0], after[1] - before[1]) != (1, 1) for before, after in pairwise(matched)
    )
