from __future__ import annotations

import sys

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from tests.factories import NOON
from tests.tries import tries
from tracker.domain.errors import QuerySyntax
from tracker.domain.search.lexing import LONGEST
from tracker.domain.search.parsing import parse_filter, parse_order

WORDS = [
    "acc", "val.acc", "metrics.x", "params.lr", "features.a.b", "tag", "name", "status", "created",
    "parent", "descendant_of", "last", "max", "and", "or", "not", "in", "is", "null", "like", "ilike",
    "matches", "true", "nan", "inf", "(", ")", "[", "]", ",", "=", "!=", "<", ">=", "-", "+", "1",
    "-2.5e3", '"x"', "'y'", "`z`",
    "complete", '"2026-01-01"', '"-7d"', '"(a+)+"', "8",
]  # fmt: skip
texts = (
    st.text(max_size=200)
    | st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
    | st.lists(st.sampled_from(WORDS) | st.characters(), max_size=30).map("".join)
)


@settings(max_examples=tries(300))
@given(texts)
@example("(" * 5000)
@example("not " * 2400)
@example("acc[" * 2000)
@example("last(" * 2000)
@example('"' + "\\" * 9999)
@example("1" * 9999 + "x")
@example("`" * 10_000)
def test_any_text_parses_or_is_refused_with_a_column_within_it(text: str) -> None:
    for parse in (lambda: parse_filter(text, now=NOON), lambda: parse_order(text)):
        try:
            parse()
        except QuerySyntax as error:
            assert 1 <= error.column <= len(text) + 1
            assert str(error.column) in error.detail


@pytest.mark.parametrize(
    "part", ["acc = 1 and ", "(", "not ", '"a', '"\\', "`a.", "a.", "1.", "1e", "in (1,", "a[", "é/", "- "]
)
def test_the_work_grows_in_step_with_the_text(part: str) -> None:
    work = [_calls(part * (length // len(part))) for length in (LONGEST // 4, LONGEST)]
    assert work[1] <= 5 * work[0] + 1000


def _calls(text: str) -> int:
    """How many functions are called, also those in C."""
    count = 0

    def counting(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        parse_filter(text, now=NOON)
    except QuerySyntax:
        pass
    finally:
        sys.setprofile(None)
    return count
