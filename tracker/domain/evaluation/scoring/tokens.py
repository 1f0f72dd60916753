"""Texts as tokens."""

from __future__ import annotations

import re
import string

__all__ = ["normalized", "words", "words_and_marks"]

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_WORD_OR_MARK = re.compile(r"\w+|[^\w\s]")


def normalized(text: str) -> str:
    """As SQuAD compares answers: lower case, without ASCII punctuation, English articles and extra space.

    P. Rajpurkar et al., "SQuAD: 100,000+ questions for machine comprehension of text", EMNLP 2016; this is
    ``normalize_answer`` of its evaluation script.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def words(text: str) -> list[str]:
    """The words of the normalized text."""
    return normalized(text).split()


def words_and_marks(text: str) -> list[str]:
    """Runs of letters, digits and underscores, and every other visible character by itself."""
    return _WORD_OR_MARK.findall(text)
