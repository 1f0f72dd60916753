from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.errors import Invalid
from tracker.domain.ids import ExperimentId
from tracker.domain.projects.naming import (
    DEFAULT_PATTERN,
    Family,
    check_pattern,
    number_of,
    numbered,
    parse_name,
    read_name,
)

FIRST, SECOND, THIRD = (ExperimentId(UUID(int=n)) for n in (1, 2, 3))


def test_a_name_gives_its_number_parent_and_change() -> None:
    assert parse_name(DEFAULT_PATTERN, "12_from_8_wider_net") == {
        "num": "12",
        "parent": "8",
        "change": "wider_net",
    }


@pytest.mark.parametrize("name", ["baseline", "x_from_8_lr", "12_from__lr", "12_from_8_", ""])
def test_a_name_that_does_not_follow_the_pattern_gives_nothing(name: str) -> None:
    assert parse_name(DEFAULT_PATTERN, name) is None
    assert read_name([DEFAULT_PATTERN], name) is None


def test_a_parent_is_found_by_its_number_or_its_whole_name() -> None:
    names = ("1_baseline", "2_from_1_lr", "wide")
    family = Family([DEFAULT_PATTERN], zip((FIRST, SECOND, THIRD), names, strict=True))
    assert family.find("1") == (FIRST, "1_baseline")
    assert family.find("02") == (SECOND, "2_from_1_lr")
    assert family.find("wide") == (THIRD, "wide")
    assert family.find("3") is None
    assert family.find("\u00b2") is None  # a digit to Python, but no number


def test_of_two_that_answer_the_oldest_is_the_parent() -> None:
    assert Family([DEFAULT_PATTERN], [(FIRST, "1_a"), (SECOND, "1_b")]).find("1") == (FIRST, "1_a")
    assert Family([DEFAULT_PATTERN], [(FIRST, "1_a"), (SECOND, "1")]).find("1") == (FIRST, "1_a")


def test_of_several_patterns_the_first_that_matches_counts() -> None:
    patterns = (DEFAULT_PATTERN, "run-{num}", "{parent}+{change}")
    assert read_name(patterns, "2_from_1_lr") == (patterns[0], {"num": "2", "parent": "1", "change": "lr"})
    assert read_name(patterns, "run-7") == (patterns[1], {"num": "7"})
    assert read_name(patterns, "2_from_1_a+b") == (patterns[0], {"num": "2", "parent": "1", "change": "a+b"})
    assert read_name(patterns, "base+wide") == (patterns[2], {"parent": "base", "change": "wide"})
    assert read_name(patterns, "base") is None
    assert number_of(patterns, "run-7") == 7
    assert number_of(patterns, "base+wide") is None


@pytest.mark.parametrize(
    ("patterns", "names", "template", "number"),
    [
        ([DEFAULT_PATTERN], [], "{num}_baseline", 1),
        ([DEFAULT_PATTERN], ["1_baseline", "9_from_1_lr"], "{num}_from_1_x", 10),
        ([DEFAULT_PATTERN], ["0012_a"], "{num}_b", 13),
        (["run-{num}"], ["run-4", "9_lives"], "run-{num}", 10),
        ([], ["run-4", "run-11", "run-x"], "run-{num}", 12),
        ([], ["2-2", "3-4"], "a{num}-{num}", 4),
        ([], ["a5-5", "a7-8"], "a{num}-{num}", 6),
    ],
)
def test_the_next_number_is_one_more_than_the_highest(
    patterns: list[str], names: list[str], template: str, number: int
) -> None:
    ids = (ExperimentId(UUID(int=n)) for n in range(1, 9))
    assert Family(patterns, zip(ids, names)).next_number(template) == number  # noqa: B905


@given(st.lists(st.sampled_from("12a_"), max_size=6).map("".join), st.lists(st.text("12a_"), max_size=5))
def test_a_name_with_the_next_number_is_new(around: str, names: list[str]) -> None:
    template = f"{around}{{num}}{around[::-1]}"
    for patterns in ([], ["{num}_{x}"], ["a{num}"]):
        family = Family(patterns, ((ExperimentId(UUID(int=n)), name) for n, name in enumerate(names)))
        assert not family.has(numbered(template, family.next_number(template)))


@given(
    st.lists(st.sampled_from(["{num}", "{parent}", "{x}", "_", "1", "_1"]), min_size=1, max_size=8),
    st.text("12_", max_size=14),
)
def test_patterns_are_read_as_backtracking_would_read_them(parts: list[str], name: str) -> None:
    pattern = "".join(parts)
    try:
        check_pattern(pattern)
    except Invalid:
        return
    naive = re.escape(pattern).replace("\\{", "{").replace("\\}", "}").replace("{num}", "(?P<num>[0-9]+)")
    naive = naive.replace("{parent}", "(?P<parent>.+?)").replace("{x}", "(?P<x>.+?)")
    match = re.fullmatch(naive, name)
    assert parse_name(pattern, name) == (match.groupdict() if match else None)


@pytest.mark.parametrize(
    "pattern", ["{a}_{b}_{c}_{d}_{e}_{f}_{g}_{h}x", "{a}1{b}1{c}1{num}1{e}1{f}1{g}1{h}x"]
)
def test_the_longest_name_that_almost_matches_is_read_at_once(pattern: str) -> None:
    assert parse_name(pattern, "_1" * 50) is None  # with backtracking, not within a lifetime
    assert parse_name(pattern, "1" * 100) is None
    assert parse_name(pattern, "_" * 100) is None


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{num",
        "num}",
        "{}",
        "{a-b}",
        "{num}_{num}",
        "{num}{parent}",
        "{é}",
        "{a}.{b}.{c}.{d}.{e}.{f}.{g}.{h}.{i}",
    ],
)
def test_an_unreadable_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid, match="naming_pattern"):
        check_pattern(pattern)


def test_text_around_the_fields_is_taken_literally() -> None:
    assert parse_name("run.{num}(x)", "run.7(x)") == {"num": "7"}
    assert parse_name("run.{num}(x)", "runs7(x)") is None
