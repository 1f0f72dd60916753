"""Scores of single answers, against published programs and what a reader can count."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.scoring.matching import (
    exact_match,
    expression,
    is_json,
    matches,
    token_f1,
    token_length,
)
from tracker.domain.evaluation.scoring.meteor import aligned, meteor_exact
from tracker.domain.evaluation.scoring.porter import stem
from tracker.domain.evaluation.scoring.tokens import normalized

texts = st.text(st.sampled_from("ab the.an,A "), max_size=30)


def test_squad_normalization() -> None:
    # Cases of the evaluation script: articles, punctuation, case and space do not matter.
    assert normalized("The  Cat's a Hat, an\tOwl!") == "cats hat owl"
    assert normalized("theatre") == "theatre"


@pytest.mark.parametrize(
    ("prediction", "truth", "exact", "f1"),
    [
        ("the Denver Broncos", "Denver Broncos!", 1, 1),
        ("Denver", "Denver Broncos", 0, 2 / 3),  # precision 1, recall 1/2
        ("b b c", "b c c", 0, 2 / 3),  # two of three words each, with their counts
        ("x", "y", 0, 0),
        ("", "", 1, 1),
        ("the", "a", 1, 1),
        ("", "y", 0, 0),
    ],
)
def test_exact_match_and_token_f1(prediction: str, truth: str, exact: float, f1: float) -> None:
    assert exact_match(prediction, truth) == exact
    assert token_f1(prediction, truth) == pytest.approx(f1, abs=1e-15)


@given(texts, texts)
def test_f1_is_symmetric_and_one_for_what_matches_exactly(first: str, second: str) -> None:
    assert token_f1(first, second) == token_f1(second, first)
    assert 0 <= token_f1(first, second) <= 1
    if exact_match(first, second):
        assert token_f1(first, second) == 1


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ('{"a": [1, null]}', 1), (' "x"\n', 1), ("3", 1), ("", 0), ("{'a': 1}", 0), ("{} {}", 0), ("NaN", 0),
        ('```json\n{"a": 1}\n```', 0), ("[" * 100_000, 0), ("1" * 5000, 0), ('{"a": 1,}', 0),
    ],
)  # fmt: skip
def test_json_is_what_the_standard_says(text: str, valid: float) -> None:
    assert is_json(text) == valid


def test_an_expression_fits_anywhere_unless_it_says_otherwise() -> None:
    assert matches("total: 42.", expression(r"\d+")) == 1
    assert matches("total: 42.", expression(r"^\d+$")) == 0
    assert matches("a" * 50_000 + "!", expression("(a+)+$")) == 0  # no engine that tries all ways ends this
    with pytest.raises(Invalid, match="metrics: regex"):
        expression("(")


def test_token_length_counts_words_and_marks() -> None:
    assert token_length("Don't stop, 3.5!") == 9
    assert token_length("") == 0


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        # Every example of Porter's paper, step by step, as the whole algorithm leaves it.
        ("caresses", "caress"), ("ponies", "poni"), ("ties", "ti"), ("caress", "caress"), ("cats", "cat"),
        ("feed", "feed"), ("agreed", "agre"), ("plastered", "plaster"), ("bled", "bled"),
        ("motoring", "motor"), ("sing", "sing"), ("conflated", "conflat"), ("troubled", "troubl"),
        ("sized", "size"), ("hopping", "hop"), ("tanned", "tan"), ("falling", "fall"), ("hissing", "hiss"),
        ("fizzed", "fizz"), ("failing", "fail"), ("filing", "file"), ("happy", "happi"), ("sky", "sky"),
        ("relational", "relat"), ("conditional", "condit"), ("rational", "ration"), ("valenci", "valenc"),
        ("hesitanci", "hesit"), ("digitizer", "digit"), ("conformabli", "conform"), ("radicalli", "radic"),
        ("differentli", "differ"), ("vileli", "vile"), ("analogousli", "analog"),
        ("vietnamization", "vietnam"), ("predication", "predic"), ("operator", "oper"),
        ("feudalism", "feudal"), ("decisiveness", "decis"), ("hopefulness", "hope"),
        ("callousness", "callous"), ("formaliti", "formal"), ("sensitiviti", "sensit"),
        ("sensibiliti", "sensibl"), ("triplicate", "triplic"), ("formative", "form"),
        ("formalize", "formal"), ("electriciti", "electr"), ("electrical", "electr"), ("hopeful", "hope"),
        ("goodness", "good"), ("revival", "reviv"), ("allowance", "allow"), ("inference", "infer"),
        ("airliner", "airlin"), ("gyroscopic", "gyroscop"), ("adjustable", "adjust"),
        ("defensible", "defens"), ("irritant", "irrit"), ("replacement", "replac"),
        ("adjustment", "adjust"), ("dependent", "depend"), ("adoption", "adopt"), ("homologou", "homolog"),
        ("communism", "commun"), ("activate", "activ"), ("angulariti", "angular"),
        ("homologous", "homolog"), ("effective", "effect"), ("bowdlerize", "bowdler"),
        ("probate", "probat"), ("rate", "rate"), ("cease", "ceas"), ("controll", "control"),
        ("roll", "roll"), ("boxing", "box"), ("hoping", "hope"),
        ("archaeology", "archaeolog"), ("as", "as"), ("é", "é"), ("", ""),
    ],
)  # fmt: skip
def test_stems_are_those_of_porter(word: str, wanted: str) -> None:
    assert stem(word) == wanted


@pytest.mark.parametrize(
    ("prediction", "truth", "value"),
    [
        # Values of NLTK 3.9.1 with an empty WordNet and PorterStemmer(mode=MARTIN_EXTENSIONS).
        ("the cat sat on the mat", "on the mat sat the cat", 0.5),
        ("the cat sat on the mat", "the cat sat on the mat", 0.9976851851851852),
        ("the cats was sitting on mats .", "the cat sat on the mat .", 0.5314285714285715),
        ("running dogs run", "the dog runs", 0.625),
        ("nothing alike", "something else", 0.0),
    ],
)
def test_meteor_is_that_of_nltk(prediction: str, truth: str, value: float) -> None:
    assert meteor_exact(prediction, truth) == pytest.approx(value, abs=1e-12)


def test_meteor_by_hand() -> None:
    # Two of three words match, in one run each of one: P = 2/3, R = 2/2, two chunks of two matches.
    p, r = 2 / 3, 1.0
    mean = p * r / (0.9 * p + 0.1 * r)
    assert meteor_exact("b x a", "a b") == pytest.approx(mean * (1 - 0.5 * 1.0), abs=1e-15)
    assert meteor_exact("", "a") == meteor_exact("a", "") == 0


@given(texts, texts)
def test_meteor_is_between_nothing_and_one_and_matches_each_word_once(first: str, second: str) -> None:
    assert 0 <= meteor_exact(first, second) <= 1
    pairs = aligned(first.split(), second.split())
    for side in (0, 1):
        assert len({pair[side] for pair in pairs}) == len(pairs)
    assert math.isfinite(meteor_exact(first, first))
