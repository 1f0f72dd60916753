"""Strategies of what is searched, and of what is asked: few names, nasty values, so that they meet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import hypothesis.strategies as st

from tests.factories import NOON, a_metric, a_project, an_experiment, new_id
from tracker.domain.experiments.ending import EndKind
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.ids import ExperimentId
from tracker.domain.metrics.metric import Metric
from tracker.domain.metrics.summary import SeriesMark
from tracker.domain.projects.project import Aggregation, Direction, MetricDefinition, Project
from tracker.domain.search.operands import TEXTS, TIMES
from tracker.domain.search.patterns import Pattern, PatternKind
from tracker.domain.search.query import (
    All,
    Attribute,
    Builtin,
    Column,
    Compare,
    Either,
    Filter,
    Like,
    Measure,
    Missing,
    Not,
    OneOf,
    Operand,
    Operator,
    OrderKey,
    Related,
    Relation,
    Source,
    Tagged,
    Which,
)

__all__ = ["a_project_with_metrics", "filters", "marks_of", "metrics_of", "orders", "runs_of"]

TEXT = ["", "a", "A", "ä", "Ä", "ab", "a%b", "a_b", "a\\b", "it's", '"q"', "ß", "İ", "😀", "\n", "z" * 120]
NUMBERS = [0.0, -0.0, 1.0, -1.5, 0.1, 1e300, -1e300, 5e-324, 2.0**63]
NOT_FINITE = [float("nan"), float("inf"), float("-inf")]
MOMENTS = [NOON + timedelta(microseconds=n) for n in (-86_400_000_000, -1, 0, 1, 999_999, 59_999_999, 10**12)]

names = st.sampled_from(["acc", "loss", "Ä/ö", "a'b"])
labels = st.sampled_from([None, "val"])
paths = st.sampled_from(["lr", "opt.name", 'we"ird', "x"])
texts = st.sampled_from(TEXT)
numbers = st.sampled_from(NUMBERS)
moments = st.sampled_from(MOMENTS)
param_values = st.none() | st.booleans() | st.sampled_from([0, 1, -7, 2**63 - 1]) | numbers | texts
feature_values = param_values | st.sampled_from([{}, [], [1, "a"], [{"name": "x", "n": 1}, {"name": "Ä"}]])


@st.composite
def a_project_with_metrics(draw: st.DrawFn) -> Project:
    """A project that tracks some of the metrics, in some way."""
    keys = draw(st.lists(st.tuples(names, labels), unique=True, max_size=4))
    tracked = tuple(
        MetricDefinition(
            name=name,
            label=label,
            direction=draw(st.sampled_from(Direction)),
            aggregation=draw(st.sampled_from(Aggregation)),
        )
        for name, label in keys
    )
    return a_project(metrics=tracked)


@st.composite
def runs_of(draw: st.DrawFn, project: Project, older: list[ExperimentId]) -> Experiment:
    """A run of the project; it derives from one of the `older`, or from none."""
    return an_experiment(
        project,
        name=draw(texts.filter(lambda text: 0 < len(text) <= 100)),
        description=draw(texts),
        status=draw(st.sampled_from(Status)),
        parent_id=draw(st.sampled_from([None, *older])),
        params=draw(st.dictionaries(paths, param_values, max_size=3)),
        features=draw(st.dictionaries(paths, feature_values, max_size=3)),
        tags=tuple(draw(st.lists(texts.filter(lambda text: 0 < len(text) <= 100), unique=True, max_size=3))),
        progress=draw(st.sampled_from([0.0, 50.0, 100.0])),
        position=draw(st.integers(0, 3)),
        created_at=draw(moments),
        created_by=draw(st.sampled_from([None, LOCAL_USER])),
        started_at=draw(st.none() | moments),
        completed_at=draw(st.none() | moments),
        end_kind=draw(st.none() | st.sampled_from(EndKind)),
        end_reason=draw(st.none() | texts.filter(bool)),
    )


def metrics_of(run: Experiment) -> st.SearchStrategy[list[Metric]]:
    """Final values of a run."""
    one = st.builds(
        lambda **fields: a_metric(run, **fields),
        name=names,
        label=labels,
        value=numbers,
        step=st.integers(0, 2),
    )
    return st.lists(one, max_size=4)


def marks_of(run: Experiment) -> st.SearchStrategy[list[SeriesMark]]:
    """What series of a run are like."""
    any_number = st.sampled_from([*NUMBERS, *NOT_FINITE])
    one = st.builds(
        SeriesMark,
        experiment_id=st.just(run.id),
        name=names,
        points=st.integers(1, 2**40),
        last=any_number,
        min=any_number,
        max=any_number,
    )
    return st.lists(one, max_size=3, unique_by=lambda mark: mark.name)


columns = st.sampled_from([Column(each) for each in Builtin])
attributes = st.builds(
    Attribute,
    source=st.sampled_from([Source.PARAMS, Source.FEATURES]),
    path=paths | st.sampled_from(["x.x.n", "x.Ä", "nowhere"]),
)
measures = st.builds(
    Measure,
    name=names | st.just("nowhere"),
    label=labels,
    which=st.sampled_from(Which),
)
operands: st.SearchStrategy[Operand] = columns | attributes | measures
patterns = st.builds(
    Pattern,
    kind=st.sampled_from([PatternKind.LIKE, PatternKind.ILIKE]),
    text=st.sampled_from(["%", "a%", "%\\%%", "_", "%ä%", "A_B", "İ", "", "%q%"]),
) | st.builds(
    Pattern,
    kind=st.just(PatternKind.MATCHES),
    text=st.sampled_from(["^a", "[ab]+$", r"\d", "(?i)Ä", "", "."]),
)


def _values(operand: Operand, ids: list[ExperimentId]) -> st.SearchStrategy[Any]:
    if isinstance(operand, Measure):
        return st.sampled_from([*NUMBERS, *NOT_FINITE])
    if isinstance(operand, Attribute):
        return st.booleans() | numbers | texts
    if operand.field is Builtin.ID:
        return st.sampled_from([str(each) for each in [*ids, new_id()]])
    if operand.field is Builtin.STATUS:
        return st.sampled_from([status.value for status in Status])
    if operand.field is Builtin.ENDED:
        return st.sampled_from([kind.value for kind in EndKind])
    if operand.field in TEXTS:
        return texts | st.just("local@localhost")
    return moments if operand.field in TIMES else numbers | st.sampled_from([50.0, 1e-6, 60.0, 1.000001])


@st.composite
def _tests(draw: st.DrawFn, ids: list[ExperimentId]) -> Filter:
    operand = draw(operands)
    is_parent = operand == Column(Builtin.PARENT)
    has_text = isinstance(operand, Attribute) or (isinstance(operand, Column) and operand.field in TEXTS)
    kinds = ["missing", "tagged", "related"]
    kinds += [] if is_parent else ["compare", "compare", "one of"]
    kinds += ["like"] if has_text else []
    match draw(st.sampled_from(kinds)):
        case "missing":
            return Missing(operand, draw(st.booleans()))
        case "tagged":
            return draw(
                st.builds(Tagged, texts=st.none() | st.lists(texts, min_size=1, max_size=3).map(tuple))
                | st.builds(Tagged, pattern=patterns)
            )
        case "related":
            some = tuple(draw(st.lists(st.sampled_from([*ids, new_id()]), min_size=1, max_size=2)))
            return Related(draw(st.sampled_from(Relation)), (), 1, some)
        case "like":
            return Like(operand, draw(patterns), draw(st.booleans()))
        case "one of":
            values = draw(st.lists(_values(operand, ids), min_size=1, max_size=3).map(tuple))
            return OneOf(operand, values, draw(st.booleans()))
    value = draw(_values(operand, ids))
    is_unordered = isinstance(value, bool) or operand == Column(Builtin.ID)
    how = [Operator.EQUAL, Operator.UNEQUAL] if is_unordered else list(Operator)
    return Compare(operand, draw(st.sampled_from(how)), value)


def filters(ids: list[ExperimentId]) -> st.SearchStrategy[Filter]:
    """Filters over runs of these ids."""
    return st.recursive(
        _tests(ids) | st.just(All()),
        lambda inner: (
            st.builds(Not, inner)
            | st.lists(inner, min_size=1, max_size=3).map(lambda tests: All(tuple(tests)))
            | st.lists(inner, min_size=1, max_size=3).map(lambda tests: Either(tuple(tests)))
        ),
        max_leaves=5,
    )


orders = st.lists(
    st.builds(
        OrderKey,
        operand=operands.filter(lambda operand: operand != Column(Builtin.PARENT)),
        descending=st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
