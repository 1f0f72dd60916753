"""The metrics there are, by name, and what each needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.scoring.matching import expression
from tracker.domain.projects.project import Direction

__all__ = ["METRICS", "Chosen", "MetricSpec", "chosen", "obstacle", "remedy", "spec_of"]

_SEPARATOR = ":"


class MetricSpec(NamedTuple):
    """A metric.

    Attributes:
        name: by which it is asked for and reported.
        title: in words.
        series: what it gives for each row; of one that has none, the name of its value.
        extra: of this package, or a package, that has to be installed; ``None`` = always there.
        needs_truth: whether rows without ground truth have no score.
        needs_judge: whether a model has to be asked.
        takes_argument: whether it is written ``name:argument``.
        of_corpus: whether it is one value of all rows, and not a mean.
        direction: which way is better; ``None`` = neither.
    """

    name: str
    title: str
    series: tuple[str, ...]
    extra: str | None = None
    needs_truth: bool = True
    needs_judge: bool = False
    takes_argument: bool = False
    of_corpus: bool = False
    direction: Direction | None = Direction.MAXIMIZE


_LIGHT = "evaluation"
_ALL = (
    MetricSpec("rouge", "ROUGE-1, -2, -L, -Lsum", ("rouge1", "rouge2", "rougeL", "rougeLsum"), _LIGHT),
    MetricSpec("bleu", "BLEU of each sentence, and their mean", ("bleu",), _LIGHT),
    MetricSpec("corpus_bleu", "BLEU of the corpus", ("corpus_bleu",), _LIGHT, of_corpus=True),
    MetricSpec("chrf", "chrF of the corpus", ("chrf",), _LIGHT, of_corpus=True),
    MetricSpec(
        "ter", "translation edit rate", ("ter",), _LIGHT, of_corpus=True, direction=Direction.MINIMIZE
    ),
    MetricSpec("meteor_exact", "METEOR without synonyms", ("meteor_exact",)),
    MetricSpec("exact_match", "the same, as SQuAD compares", ("exact_match",)),
    MetricSpec("token_f1", "F1 of words, as SQuAD counts", ("token_f1",)),
    MetricSpec("json_valid", "the answer is JSON", ("json_valid",), needs_truth=False),
    MetricSpec(
        "regex", "a regular expression fits", ("regex",), needs_truth=False, takes_argument=True
    ),
    MetricSpec(
        "token_length", "words and marks of answer and ground truth",
        ("pred_token_length", "ref_token_length"), needs_truth=False, direction=None,
    ),
    MetricSpec("bertscore", "BERTScore", ("precision", "recall", "f1"), "bertscore"),
    MetricSpec("comet", "COMET", ("comet",), "comet"),
    MetricSpec(
        "g_eval_summarization", "a judge's view of summaries",
        ("coherence", "consistency", "fluency", "relevance"), needs_truth=False, needs_judge=True,
    ),
    MetricSpec(
        "g_eval_translation", "a judge's view of translations beside a reference",
        ("accuracy", "fluency"), needs_judge=True,
    ),
    MetricSpec(
        "g_eval_translation_noref", "a judge's view of translations without a reference",
        ("accuracy", "fluency"), needs_truth=False, needs_judge=True,
    ),
    MetricSpec(
        "rubric", "a judge's view by a rubric of one's own", (), needs_truth=False, needs_judge=True
    ),
)  # fmt: skip

METRICS: dict[str, MetricSpec] = {spec.name: spec for spec in _ALL}
"""All metrics by name."""

# Clients ask for meteor; what they get says that it is a variant.
_OTHER_NAMES = {"meteor": "meteor_exact"}


class Chosen(NamedTuple):
    """A metric that was asked for.

    Attributes:
        asked: the name that was used, under which clients look for the result.
        spec: what it is.
        argument: such as the expression of ``regex:^yes``; empty for most.
    """

    asked: str
    spec: MetricSpec
    argument: str = ""

    @property
    def variant(self) -> str | None:
        """The metric's own name, where another was asked for."""
        return None if self.asked.partition(_SEPARATOR)[0] == self.spec.name else self.spec.name


def chosen(names: Iterable[str], installed: Collection[str]) -> tuple[Chosen, ...]:
    """The metrics of these names, each once, in their order.

    Args:
        names: as they were asked for, whatever the case.
        installed: the extras that are there.

    Raises:
        Invalid: a name is not known, lacks its argument or has one too many, or its extra is not
            installed. It lists the choices, or the command that helps.
    """
    found: dict[str, Chosen] = {}
    for name in names:
        key, separator, argument = name.strip().partition(_SEPARATOR)
        key = key.lower()
        spec = spec_of(name)
        if spec is None:
            raise Invalid.field(
                "metrics", f"{name[:100]!r} is no metric; choose from {', '.join(_choices())}"
            )
        _check_argument(spec, argument, bool(separator))
        if spec.extra is not None and spec.extra not in installed:
            raise Invalid.field("metrics", f"{spec.name} {remedy(spec.extra)}")
        asked = f"{key}{separator}{argument}"
        found.setdefault(asked, Chosen(asked, spec, argument))
    return tuple(found.values())


def spec_of(asked: str) -> MetricSpec | None:
    """The metric of this name, with or without an argument; ``None`` where there is none."""
    key = asked.strip().partition(_SEPARATOR)[0].lower()
    return METRICS.get(_OTHER_NAMES.get(key, key))


def remedy(extra: str) -> str:
    """What a metric lacks whose extra is not installed, and what to do."""
    if extra == "comet":
        return (
            "needs the package unbabel-comet, whose releases up to 2.2.7 want numpy below 2: no extra can "
            "bring it; where you have it beside tracker, it is used"
        )
    return f"needs an extra: pip install 'tracker[{extra}]'"


def obstacle(metrics: Iterable[Chosen], *, rows_with_truth: int, has_judge: bool) -> str | None:
    """Why `metrics` cannot be computed, and what would help; ``None`` when they can."""
    for metric in metrics:
        if metric.spec.needs_truth and rows_with_truth == 0:
            return (
                f"{metric.asked} needs ground truth, and no row of the dataset has any: "
                "add the column ground_truth, or annotate the dataset first"
            )
        if metric.spec.needs_judge and not has_judge:
            return f"{metric.asked} asks a model: name one in llm_as_judge, with its key as a secret"
    return None


def _check_argument(spec: MetricSpec, argument: str, has_separator: bool) -> None:
    if spec.takes_argument:
        if not argument:
            raise Invalid.field("metrics", f"write {spec.name}:EXPRESSION, such as {spec.name}:^(yes|no)$")
        expression(argument)
    elif has_separator:
        raise Invalid.field("metrics", f"{spec.name} takes nothing after its name")


def _choices() -> list[str]:
    return sorted({*METRICS, *_OTHER_NAMES})
