"""The stems of English words.

M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980), with the three departures that its
author made in his own program (``logi`` and ``bli`` in the second step, short words left alone).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

__all__ = ["stem"]

_SECOND = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"),
    ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"),
    ("ation", "ate"), ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"),
    ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log"),
)  # fmt: skip
_THIRD = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""),
    ("ness", ""),
)  # fmt: skip
_FOURTH = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism",
    "ate", "iti", "ous", "ive", "ize",
)  # fmt: skip


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The stem of a word in lower case; what is no English word has one too, and often is its own."""
    if len(word) <= 2:
        return word
    word = _first(word)
    word = _replaced(word, _SECOND)
    word = _replaced(word, _THIRD)
    word = _fourth(word)
    return _fifth(word)


def _first(word: str) -> str:
    if word.endswith(("sses", "ies")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if word.endswith("eed"):
        word = word[:-1] if _measure(word[:-3]) > 0 else word
    else:
        for suffix in ("ed", "ing"):
            if word.endswith(suffix):
                base = word[: -len(suffix)]
                word = _restored(base) if _has_vowel(base) else word
                break
    return word[:-1] + "i" if word.endswith("y") and _has_vowel(word[:-1]) else word


def _restored(word: str) -> str:
    """A word that lost *ed* or *ing*, with what it had before."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _ends_double(word) and word[-1] not in "lsz":
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _ends_cvc(word) else word


def _replaced(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    """By the rule of the longest suffix, if enough of the word is left."""
    found = [rule for rule in rules if word.endswith(rule[0])]
    if not found:
        return word
    suffix, new = max(found, key=lambda rule: len(rule[0]))
    base = word[: -len(suffix)]
    return base + new if _measure(base) > 0 else word


def _fourth(word: str) -> str:
    found = [suffix for suffix in _FOURTH if word.endswith(suffix)]
    if not found:
        return word
    suffix = max(found, key=len)
    base = word[: -len(suffix)]
    if _measure(base) <= 1 or (suffix == "ion" and not base.endswith(("s", "t"))):
        return word
    return base


def _fifth(word: str) -> str:
    if word.endswith("e"):
        base = word[:-1]
        measure = _measure(base)
        if measure > 1 or (measure == 1 and not _ends_cvc(base)):
            word = base
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _is_consonant(word: str, place: int) -> bool:
    letter = word[place]
    if letter == "y":
        return place == 0 or not _is_consonant(word, place - 1)
    return letter not in "aeiou"


def _measure(word: str) -> int:
    """How often vowels are followed by consonants."""
    kinds = [_is_consonant(word, place) for place in range(len(word))]
    return sum(not before and after for before, after in pairwise(kinds))


def _has_vowel(word: str) -> bool:
    return not all(_is_consonant(word, place) for place in range(len(word)))


def _ends_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _is_consonant(word, len(word) - 1)


def _ends_cvc(word: str) -> bool:
    """Consonant, vowel, consonant, of which the last is none of w, x, y."""
    last = len(word) - 1
    return (
        last >= 2
        and _is_consonant(word, last - 2)
        and not _is_consonant(word, last - 1)
        and _is_consonant(word, last)
        and word[last] not in "wxy"
    )
