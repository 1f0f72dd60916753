from __future__ import annotations

import pytest

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.scoring.names import METRICS, chosen, obstacle, remedy, spec_of

ALL = {"evaluation", "bertscore", "comet"}


def test_an_unknown_metric_is_refused_with_the_choices() -> None:
    with pytest.raises(
        Invalid, match=r"'acuracy' is no metric; choose from bertscore, .*, rouge, .*"
    ) as caught:
        chosen(["rouge", "acuracy"], ALL)
    assert caught.value.problems[0].loc == ("metrics",)


def test_a_metric_whose_extra_is_not_there_tells_how_to_get_it() -> None:
    with pytest.raises(Invalid, match=r"bleu needs an extra: pip install 'tracker\[evaluation\]'"):
        chosen(["bleu"], [])
    assert [metric.spec.name for metric in chosen(["token_f1", "exact_match"], [])] == [
        "token_f1",
        "exact_match",
    ]


def test_names_count_once_whatever_their_case() -> None:
    assert [metric.asked for metric in chosen(["ROUGE", "rouge ", "bleu"], ALL)] == ["rouge", "bleu"]


def test_meteor_is_answered_by_a_variant_that_says_so() -> None:
    (metric,) = chosen(["meteor"], [])
    assert (metric.asked, metric.spec.name, metric.variant) == ("meteor", "meteor_exact", "meteor_exact")
    assert chosen(["meteor_exact"], [])[0].variant is None


def test_an_expression_stands_behind_its_name() -> None:
    (metric,) = chosen(["regex:^(A|B): \\d$"], [])
    assert (metric.argument, metric.variant) == ("^(A|B): \\d$", None)
    for name, told in (("regex", "regex:EXPRESSION"), ("regex:(", "regex"), ("rouge:2", "takes nothing")):
        with pytest.raises(Invalid, match=told):
            chosen([name], ALL)


def test_what_a_metric_needs_is_told_before_anything_is_computed() -> None:
    free, truth, judge = chosen(["json_valid", "token_f1", "g_eval_summarization"], ALL)
    assert obstacle([free], rows_with_truth=0, has_judge=False) is None
    assert "needs ground truth" in (obstacle([free, truth], rows_with_truth=0, has_judge=True) or "")
    assert "llm_as_judge" in (obstacle([truth, judge], rows_with_truth=1, has_judge=False) or "")
    assert obstacle([free, truth, judge], rows_with_truth=1, has_judge=True) is None


def test_every_metric_is_registered_under_its_own_name() -> None:
    assert all(name == spec.name for name, spec in METRICS.items())


def test_a_metric_is_found_by_any_name_it_was_asked_for() -> None:
    assert spec_of("METEOR") is METRICS["meteor_exact"] and spec_of(" regex:^a:b") is METRICS["regex"]
    assert spec_of("mine") is None


def test_no_command_is_told_that_would_not_help() -> None:
    assert remedy("bertscore") == "needs an extra: pip install 'tracker[bertscore]'"
    assert "pip install" not in remedy("comet") and "unbabel-comet" in remedy("comet")
