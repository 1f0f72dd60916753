"""What every adapter of text metrics keeps, and values that were published or worked out by hand."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.adapters.text_metrics import PackagedTextMetrics
from tracker.adapters.text_metrics.corpora import statistics_of
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.evaluation.scoring.intervals import IntervalKind
from tracker.domain.evaluation.scoring.names import METRICS, Chosen, chosen
from tracker.ports.evaluation.text_metrics import TextMetrics

BY_ROW, OF_CORPUS = ("rouge", "bleu"), ("corpus_bleu", "chrf", "ter")


def a_metric(name: str) -> Chosen:
    return Chosen(name, METRICS[name])


@pytest.fixture(params=[PackagedTextMetrics])
def metrics(request: pytest.FixtureRequest) -> TextMetrics:
    made: TextMetrics = request.param()
    return made


def scored(metrics: TextMetrics, name: str, answer: str, truth: str) -> dict[str, float | None]:
    """Of one row, each series' score."""
    found = metrics.samples(a_metric(name), [answer], [truth], [""])
    return {series: scores[0] for series, scores in found.items()}


def of_all(metrics: TextMetrics, name: str, answers: list[str], truths: list[str]) -> float:
    value = metrics.corpus(a_metric(name), answers, truths, 0)[name].value
    assert value is not None
    return value


class TestTextMetrics:
    def test_what_is_installed_is_what_may_be_chosen(self, metrics: TextMetrics) -> None:
        assert "evaluation" in metrics.installed
        assert [one.asked for one in chosen([*BY_ROW, *OF_CORPUS], metrics.installed)] == [
            *BY_ROW,
            *OF_CORPUS,
        ]

    @pytest.mark.parametrize("name", BY_ROW)
    def test_each_row_with_both_texts_has_a_score_and_no_other(self, name: str, metrics: TextMetrics) -> None:
        answers, truths = ["a b", None, "c", None], ["a b", "b", None, None]
        found = metrics.samples(a_metric(name), answers, truths, [""] * 4)
        assert tuple(found) == METRICS[name].series
        for series, scores in found.items():
            assert scores[1:] == [None, None, None], series
            assert scores[0] is not None and 0 <= scores[0] <= 1

    @pytest.mark.parametrize("name", BY_ROW)
    def test_the_same_text_has_the_best_score(self, name: str, metrics: TextMetrics) -> None:
        text = "five words are quite enough\nand a second line"
        assert set(scored(metrics, name, text, text).values()) == {1.0}

    @pytest.mark.parametrize("name", [*BY_ROW, *OF_CORPUS])
    def test_no_row_is_no_score(self, name: str, metrics: TextMetrics) -> None:
        if name in BY_ROW:
            assert metrics.samples(a_metric(name), [], [], []) == {each: [] for each in METRICS[name].series}
            return
        for answers, truths in (([], []), ([None, "a"], ["b", None])):
            mean = metrics.corpus(a_metric(name), answers, truths, 0)[name]
            assert (mean.value, mean.interval, mean.rows, mean.missing) == (None, None, 0, len(answers))

    @pytest.mark.parametrize("name", OF_CORPUS)
    def test_one_value_has_an_interval_that_the_seed_decides(self, name: str, metrics: TextMetrics) -> None:
        rows = range(1, 25)  # of five rows resamples can do so little that two seeds give one interval
        answers: list[str | None] = [" ".join("abcdefgh"[: row % 7 + 1]) for row in rows]
        truths = [" ".join("abcdxfgh"[: row % 5 + 3]) for row in rows]
        answers, truths = [*answers, None], [*truths, "x"]
        mean = metrics.corpus(a_metric(name), answers, truths, 7)[name]
        assert mean.value is not None and mean.interval is not None
        assert mean.interval[0] < mean.value < mean.interval[1]
        assert (mean.kind, mean.rows, mean.missing) == (IntervalKind.BOOTSTRAP, 24, 1)
        assert metrics.corpus(a_metric(name), answers, truths, 7)[name] == mean
        assert metrics.corpus(a_metric(name), answers, truths, 8)[name] != mean

    @pytest.mark.parametrize("name", OF_CORPUS)
    def test_rows_that_are_all_alike_promise_no_interval(self, name: str, metrics: TextMetrics) -> None:
        for rows in (1, 20):
            mean = metrics.corpus(a_metric(name), ["a b c d e"] * rows, ["a b c d f"] * rows, 0)[name]
            assert (mean.interval, mean.kind) == (None, IntervalKind.NONE)

    @pytest.mark.parametrize("name", [*BY_ROW, *OF_CORPUS])
    @pytest.mark.parametrize("text", ["", " ", "\n\n", "。、", "🎯", "\x00", "a" * 5000, "\u202e x"])
    def test_odd_texts_have_finite_scores(self, name: str, text: str, metrics: TextMetrics) -> None:
        for answer, truth in ((text, "words"), ("words", text), (text, text)):
            if name in BY_ROW:
                found = [
                    value for value in scored(metrics, name, answer, truth).values() if value is not None
                ]
            else:
                found = [of_all(metrics, name, [answer], [truth])]
            assert found and all(math.isfinite(value) and value >= 0 for value in found)


def test_rouge_of_the_examples_of_its_paper(metrics: TextMetrics) -> None:
    """C.-Y. Lin, "ROUGE", 2004, section 3.1 and 3.2."""
    assert scored(metrics, "rouge", "police kill the gunman", "police killed the gunman")["rougeL"] == 0.75
    assert scored(metrics, "rouge", "the gunman kill police", "police killed the gunman")["rougeL"] == 0.5
    summary = scored(metrics, "rouge", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5")
    # The union is w1 w2 w3 w5: recall 4 of 5, precision 4 of 10.
    assert summary["rougeLsum"] == pytest.approx(2 * 0.8 * 0.4 / 1.2)


def test_rouge_of_the_example_of_its_package(metrics: TextMetrics) -> None:
    """By hand: 6 of 8 and 9 words, 2 of 7 and 8 pairs, "the quick brown jumps the" in order."""
    found = scored(
        metrics, "rouge",
        "The quick brown dog jumps on the log.", "The quick brown fox jumps over the lazy dog",
    )  # fmt: skip
    assert found["rouge1"] == pytest.approx(12 / 17) and found["rouge2"] == pytest.approx(4 / 15)
    assert found["rougeL"] == found["rougeLsum"] == pytest.approx(10 / 17)


def test_texts_too_long_for_an_order_of_words_are_still_counted(metrics: TextMetrics) -> None:
    long = " ".join(f"w{place % 700}" for place in range(3300))
    found = scored(metrics, "rouge", long, long)
    assert found == {"rouge1": 1.0, "rouge2": 1.0, "rougeL": None, "rougeLsum": None}


def test_bleu_of_a_sentence_worked_out_by_hand(metrics: TextMetrics) -> None:
    """5 of 6 words, 2 of 5 pairs, 1 of 4 triples, none of 3 fours (smoothed to half a one), and too short."""
    found = scored(metrics, "bleu", "the cat is on the mat", "there is a cat on the mat")
    by_hand = math.exp(1 - 7 / 6) * (5 / 6 * 2 / 5 * 1 / 4 * 1 / 6) ** 0.25
    assert found["bleu"] == pytest.approx(by_hand, rel=1e-12)


def test_bleu_of_a_corpus_worked_out_by_hand(metrics: TextMetrics) -> None:
    """Counts are added up: 9 of 10 words, 6 of 8, 4 of 6, 2 of 4; 10 words against 11."""
    answers = ["the cat is on the mat", "a b c d"]
    truths = ["the cat is on a red mat", "a b c d"]
    by_hand = 100 * math.exp(1 - 11 / 10) * (9 / 10 * 6 / 8 * 4 / 6 * 2 / 4) ** 0.25
    assert of_all(metrics, "corpus_bleu", answers, truths) == pytest.approx(by_hand, rel=1e-12)


def test_chrf_worked_out_by_hand(metrics: TextMetrics) -> None:
    """Precision 1 and 1, recall 2/3 and 1/2; recall counts four times."""
    recall = (2 / 3 + 1 / 2) / 2
    assert of_all(metrics, "chrf", ["ab"], ["abc"]) == pytest.approx(
        100 * 5 * recall / (4 + recall), rel=1e-12
    )


def test_ter_of_the_example_of_its_paper(metrics: TextMetrics) -> None:
    """M. Snover et al., "A study of translation edit rate", AMTA 2006: a shift, two substitutions and an
    insertion on 13 words."""
    answer = "THIS WEEK THE SAUDIS denied information published in the new york times"
    truth = "SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york times"
    assert of_all(metrics, "ter", [answer], [truth]) == pytest.approx(100 * 4 / 13)


words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "the", "cat", ".", "3"]), max_size=8).map(" ".join)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=5), st.data())
def test_a_resample_scores_as_the_packages_own_function_scores_its_rows(
    rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    import sacrebleu

    drawn = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=8))
    answers, truths = [rows[row][0] for row in drawn], [rows[row][1] for row in drawn]
    own = {
        "corpus_bleu": sacrebleu.corpus_bleu(answers, [truths]).score,
        "chrf": sacrebleu.corpus_chrf(answers, [truths]).score,
        "ter": sacrebleu.corpus_ter(answers, [truths]).score,
    }
    for name in OF_CORPUS:
        statistics, score = statistics_of(name, [answer for answer, _ in rows], [truth for _, truth in rows])
        sums = [math.fsum(column) for column in zip(*(statistics[row] for row in drawn), strict=True)]
        assert score(sums) == pytest.approx(own[name], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "hidden", "told"),
    [
        ("rouge", "rouge_score", r"pip install 'tracker\[evaluation\]'"),
        ("bleu", "sacrebleu", r"pip install 'tracker\[evaluation\]'"),
        ("chrf", "sacrebleu", r"pip install 'tracker\[evaluation\]'"),
        ("bertscore", "bert_score", r"pip install 'tracker\[bertscore\]'"),
        ("comet", "comet", "unbabel-comet"),
    ],
)
def test_without_its_package_a_metric_says_what_it_lacks(
    name: str, hidden: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, hidden, None)
    metrics = PackagedTextMetrics()
    with pytest.raises(Invalid, match=told):
        chosen([name], metrics.installed)
    with pytest.raises(Unavailable, match=told):
        if METRICS[name].of_corpus:
            metrics.corpus(a_metric(name), ["a"], ["a"], 0)
        else:
            metrics.samples(a_metric(name), ["a"], ["a"], ["a"])
