from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import NOON
from tracker.domain.errors import Invalid, QuerySyntax
from tracker.domain.search.operands import spelled
from tracker.domain.search.parsing import parse_filter, parse_order
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
    Operator,
    OrderKey,
    Related,
    Relation,
    Source,
    Tagged,
    Which,
)

ACC = Measure("acc")
LR = Attribute(Source.PARAMS, "lr")


def parsed(text: str) -> Filter:
    return parse_filter(text, now=NOON)


def test_the_example_of_the_design_parses_to_what_it_says() -> None:
    text = (
        'val.acc > 0.9 and (params.opt in ("adamw", "lion") or tag = "paper") '
        'and status = complete and descendant_of("8")'
    )
    assert parsed(text) == All(
        (
            Compare(Measure("val.acc"), Operator.GREATER, 0.9),
            Either(
                (
                    OneOf(Attribute(Source.PARAMS, "opt"), ("adamw", "lion")),
                    Tagged(("paper",)),
                )
            ),
            Compare(Column(Builtin.STATUS), Operator.EQUAL, "complete"),
            Related(Relation.DESCENDANT, ("8",), text.index('"8"') + 1),
        )
    )


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", All()),
        ("acc = 1", Compare(ACC, Operator.EQUAL, 1.0)),
        ("acc == 1", Compare(ACC, Operator.EQUAL, 1.0)),
        ("metrics.acc != -1.5e-3", Compare(ACC, Operator.UNEQUAL, -0.0015)),
        ("acc<=.5", Compare(ACC, Operator.AT_MOST, 0.5)),
        ("acc = -inf", Compare(ACC, Operator.EQUAL, float("-inf"))),
        ("max(train/loss) < 3", Compare(Measure("train/loss", None, Which.MAX), Operator.LESS, 3.0)),
        ("last(acc[val]) < 3", Compare(Measure("acc", "val", Which.LAST), Operator.LESS, 3.0)),
        ('acc["my label"] < 3', Compare(Measure("acc", "my label"), Operator.LESS, 3.0)),
        ("max > 3", Compare(Measure("max"), Operator.GREATER, 3.0)),
        ("params.flag = true", Compare(Attribute(Source.PARAMS, "flag"), Operator.EQUAL, True)),
        ("params.`a b`.c = 'x'", Compare(Attribute(Source.PARAMS, "a b.c"), Operator.EQUAL, "x")),
        (r'params.lr = "q\"\\\d"', Compare(LR, Operator.EQUAL, 'q"\\\\d')),
        ("features.Optimizer.lr is null", Missing(Attribute(Source.FEATURES, "Optimizer.lr"))),
        ("params.lr is not null", Missing(LR, negated=True)),
        ("params.lr not in (1, true, 'x')", OneOf(LR, (1.0, True, "x"), negated=True)),
        ('name not like "a%"', Like(Column(Builtin.NAME), Pattern(PatternKind.LIKE, "a%"), negated=True)),
        ('tags not in ("a", b)', Not(Tagged(("a", "b")))),
        ("tag is null", Not(Tagged())),
        ("tag is not null", Tagged()),
        ("tag != a", Not(Tagged(("a",)))),
        ('tag matches "^a"', Tagged(pattern=Pattern(PatternKind.MATCHES, "^a"))),
        ("parent = 8", Related(Relation.CHILD, ("8",), 8)),
        ("parent is null", Missing(Column(Builtin.PARENT))),
        (
            'created >= "2026-01-31"',
            Compare(Column(Builtin.CREATED), Operator.AT_LEAST, datetime(2026, 1, 31, tzinfo=UTC)),
        ),
        ('started < "-7d"', Compare(Column(Builtin.STARTED), Operator.LESS, NOON - timedelta(days=7))),
        (
            "NOT acc = 1 OR NOT acc = 2",
            Either((Not(Compare(ACC, Operator.EQUAL, 1.0)), Not(Compare(ACC, Operator.EQUAL, 2.0)))),
        ),
        ("`and` = 1", Compare(Measure("and"), Operator.EQUAL, 1.0)),
    ],
)  # fmt: skip
def test_a_filter_parses(text: str, tree: Filter) -> None:
    assert parsed(text) == tree


def test_not_of_not_is_the_test_itself_however_often() -> None:
    assert parsed("not " * 400 + "acc = 1") == Compare(ACC, Operator.EQUAL, 1.0)


def test_and_binds_closer_than_or() -> None:
    a, b, c = (Compare(Measure(name), Operator.EQUAL, 1.0) for name in "abc")
    assert parsed("a = 1 or b = 1 and c = 1") == Either((a, All((b, c))))
    assert parsed("(a = 1 or b = 1) and c = 1") == All((Either((a, b)), c))


@pytest.mark.parametrize(
    ("text", "column", "why"),
    [
        ("acc >", 6, "expected a number"),
        ('acc = "x"', 7, "a metric is a number"),
        ("(acc = 1", 9, "expected ')'"),
        ("acc = 1 acc = 2", 9, "expected and, or, or the end"),
        ("status = done", 10, "there is no status 'done'; there are planned, running, complete, failed"),
        ('name = "abc', 8, "no closing quote"),
        ("created > 'soon'", 11, "is no time"),
        ("created > 5", 11, "text in quotes"),
        ('name matches "(?=x)"', 14, "linear time"),
        ('name matches "("', 14, "no regular expression"),
        ("acc like 'x'", 5, "expected ="),
        ("params.flag < true", 15, "no order"),
        ("id < '00000000-0000-7000-8000-000000000001'", 6, "ids are compared"),
        ("id = 'x'", 6, "is no id"),
        ("last(params.lr) > 1", 6, "takes a metric"),
        ("params.lr[val] = 1", 1, "only a metric"),
        ("params = 1", 1, "needs a name"),
        ("tag < 'a'", 7, "tags have no order"),
        ("parent < 8", 8, "parents have no order"),
        ("acc = 1; drop table users", 8, "means nothing"),
        ("params.lr = nan", 13, "never nan"),
        ("((" * 40 + "acc = 1", 22, "nested deeper"),
        ("acc = 1 and " * 600 + "acc = 1", 2401, "more than 200 tests"),
        ("tag like a or " * 20 + "tag like a", 145, "more than 10 patterns"),
        ("parent in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)", 43, "more than 10 patterns and relatives"),
        ("params.x = -true", 13, "expected a number"),
        ("progress = nan", 12, "never nan"),
        ("duration < inf", 12, "never nan or infinite"),
        (r'name matches "\w{200}"', 14, "at most 100 times"),
        (r'name matches "(a{9}){9,99}"', 14, "at most 100 times"),
        ("a" * 10_001, 10_001, "longer than 10000"),
    ],
)
def test_what_does_not_parse_is_told_with_its_column(text: str, column: int, why: str) -> None:
    with pytest.raises(QuerySyntax) as refused:
        parsed(text)
    assert (refused.value.column, why in refused.value.why) == (column, True), refused.value.detail
    assert refused.value.problems[0].loc == ("filter",)


def test_an_order_parses_and_is_told_apart_from_a_filter_in_errors() -> None:
    assert parse_order("-metrics.acc, name,max(val/loss)") == (
        OrderKey(ACC, descending=True),
        OrderKey(Column(Builtin.NAME)),
        OrderKey(Measure("val/loss", None, Which.MAX)),
    )
    assert parse_order(" ") == ()
    for text, column in (("acc,", 5), ("tags", 1), ("-parent", 2), ("acc name", 5), ("a," * 20 + "a", 22)):
        with pytest.raises(QuerySyntax, match=r"^order_by: ") as refused:
            parse_order(text)
        assert refused.value.column == column


@pytest.mark.parametrize(
    "operand",
    [
        ACC,
        Measure("acc", "val"),
        Measure("a b", 'l"\\'),
        Measure("train/loss", None, Which.MIN),
        Measure("status"),
        LR,
        Attribute(Source.FEATURES, "a.0.b c"),
        Column(Builtin.DURATION),
    ],
)
def test_what_a_field_is_called_parses_to_the_field(operand: Measure | Attribute | Column) -> None:
    assert parse_order(spelled(operand)) == (OrderKey(operand),)


@pytest.mark.parametrize(
    ("kind", "pattern", "fitting", "other"),
    [
        ("like", "a%", ["a", "abc", "a\nb"], ["ba", "A", ""]),
        ("like", "a_c", ["abc", "a😀c", "a%c"], ["ac", "abbc"]),
        ("like", r"100\%", ["100%"], ["1000"]),
        ("like", r"a\\b", [r"a\b"], ["ab"]),
        ("like", "", [""], ["a"]),
        ("like", "a.b", ["a.b"], ["axb"]),
        ("ilike", "äx", ["ÄX", "äx"], ["ax"]),
        ("matches", "b+", ["abba"], ["a"]),
        ("matches", "^a$", ["a"], ["ab", "ba"]),
    ],
)
def test_a_pattern_fits(kind: str, pattern: str, fitting: list[str], other: list[str]) -> None:
    made = Pattern(PatternKind(kind), pattern).check()
    assert [text for text in [*fitting, *other] if made.fits(text)] == fitting


def test_a_regular_expression_that_would_take_forever_elsewhere_does_not() -> None:
    for pattern in ("(a+)+$", "^(a|a)*$", "(.*)*x"):
        assert not Pattern(PatternKind.MATCHES, pattern).fits("a" * 50_000 + "b")


@pytest.mark.parametrize("pattern", ["(", "a{1000}{1000}{1000}", "x" * 201])
def test_a_pattern_that_cannot_be_run_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        Pattern(PatternKind.MATCHES, pattern).check()
