"""Scores of one answer that need nothing but the answer and what was expected."""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.scoring.tokens import normalized, words, words_and_marks
from tracker.domain.search.patterns import Pattern, PatternKind

__all__ = ["exact_match", "expression", "is_json", "matches", "token_f1", "token_length"]


def exact_match(prediction: str, truth: str) -> float:
    """1 when both are the same after SQuAD's normalization, else 0."""
    return float(normalized(prediction) == normalized(truth))


def token_f1(prediction: str, truth: str) -> float:
    """The harmonic mean of precision and recall of the words, counted as often as they stand there.

    As SQuAD 2.0 has it (P. Rajpurkar et al., "Know what you don't know", ACL 2018): when either has no
    words, 1 if neither has, else 0.
    """
    found, wanted = words(prediction), words(truth)
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    return 2 * common / (len(found) + len(wanted))


def is_json(prediction: str) -> float:
    """1 when all of it is one JSON value, as RFC 8259 has it (so no ``NaN``, no code fence), else 0."""
    try:
        json.loads(prediction, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return 0.0
    return 1.0


def _no_json(name: str) -> NoReturn:
    raise ValueError(name)


def expression(text: str) -> Pattern:
    """The regular expression of a metric, matched in linear time whatever the answers are.

    Raises:
        Invalid: it is none, or too large.
    """
    try:
        return Pattern(PatternKind.MATCHES, text).check()
    except Invalid as error:
        raise Invalid.field("metrics", f"regex: {error.detail}") from error


def matches(prediction: str, pattern: Pattern) -> float:
    """1 when the expression fits somewhere in the answer, else 0; ``^...$`` makes it fit the whole."""
    return float(pattern.fits(prediction))


def token_length(text: str) -> float:
    """How many words and marks it has. No model's tokenizer: the same for all models."""
    return float(len(words_and_marks(text)))
