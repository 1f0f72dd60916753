"""Laws of comparing: differences, diffs of code, fronts."""

from __future__ import annotations

import difflib
import math
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.factories import new_id
from tests.property.test_features_diff import pairs, trees
from tracker.domain.comparison.code import FileChange, files_of
from tracker.domain.comparison.differences import differences
from tracker.domain.comparison.pareto import Objective, _many, front, pareto
from tracker.domain.experiments.features import diff
from tracker.domain.ids import ExperimentId
from tracker.domain.json_tree import freeze, same
from tracker.domain.projects.project import Direction

ONE, OTHER, THIRD = (ExperimentId(new_id()) for _ in range(3))


# Differences.


@given(pairs())
def test_two_trees_differ_in_what_their_diff_says(two: tuple[dict[str, Any], dict[str, Any]]) -> None:
    before, after = map(freeze, two)
    found = diff(before, after)
    rows = {row.path: row.values for row in differences([(ONE, before), (OTHER, after)])}
    told = {path: {OTHER: value} for path, value in found.added.items()}
    for path, value in found.removed.items():
        told.setdefault(path, {})[ONE] = value
    told |= {path: {ONE: old, OTHER: new} for path, (old, new) in found.changed.items()}
    assert rows.keys() == told.keys()
    assert all(same(rows[path], values) for path, values in told.items())


@given(trees)
def test_equal_trees_differ_in_nothing(tree: dict[str, Any]) -> None:
    assert differences([(ONE, freeze(tree)), (OTHER, freeze(tree)), (THIRD, freeze(tree))]) == ()


@given(pairs(), trees)
def test_a_third_tree_takes_away_no_difference_and_no_value(two: Any, third: dict[str, Any]) -> None:
    before, after, more = map(freeze, (*two, third))
    small = differences([(ONE, before), (OTHER, after)])
    large = {row.path: row for row in differences([(ONE, before), (OTHER, after), (THIRD, more)])}
    for row in small:
        values = large[row.path].values
        assert all(same(values[key], value) for key, value in row.values.items())


def test_one_and_one_point_nought_and_true_are_three_values() -> None:
    (row,) = differences([(ONE, {"a": 1}), (OTHER, {"a": 1.0}), (THIRD, {"a": True})])
    assert [type(value) for value in row.values.values()] == [int, float, bool]


def test_what_one_lacks_is_missing_and_null_is_a_value() -> None:
    (row,) = differences([(ONE, {"a": None}), (OTHER, {})])
    assert row.values == {ONE: None}


# Diffs of code.

lines = st.sampled_from(["a", "b", "-- x", "++ y", "@@ -1 +1 @@", "diff --git a/x b/x", "", " ", "\\ z"])
texts = st.lists(lines, max_size=8)
paths = st.sampled_from(["a.py", "src/b c.py", "b/b.py", "\u00fc.txt"])


@given(st.dictionaries(paths, st.tuples(texts, texts), max_size=4))
def test_added_and_removed_lines_are_counted_file_by_file(
    files: dict[str, tuple[list[str], list[str]]],
) -> None:
    patch, expected = "", []
    for path, (before, after) in files.items():
        body = list(difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm=""))
        patch += f"diff --git a/{path} b/{path}\nindex 1..2 100644\n" + "".join(f"{line}\n" for line in body)
        expected.append(FileChange(path, *_lines_of(before, after)))
    assert files_of(patch) == tuple(sorted(expected))


def _lines_of(before: list[str], after: list[str]) -> tuple[int, int]:
    codes = difflib.SequenceMatcher(None, before, after).get_opcodes()
    changed = [code for code in codes if code[0] != "equal"]
    return sum(j2 - j1 for *_, j1, j2 in changed), sum(i2 - i1 for _, i1, i2, *_ in changed)


@example("--- a/x\n+++ b/x\n@@ -1,999999999 +1,999999999 @@\n+a\n")
@example('diff --git "a/\\303\\274" "b/\\303\\274"\n')
@example('diff --git "a/\\9" "b/\\')
@given(st.text(st.sampled_from('+-@ \\"dif/gtab0123,\n\r\t')) | st.text())
def test_any_text_can_be_read(text: str) -> None:
    for change in files_of(text):
        assert change.added >= 0 and change.removed >= 0


# Fronts.

numbers = st.sampled_from([-math.inf, -2.0, -1.0, 0.0, 0.5, 1.0, 2.0, math.inf]) | st.floats(allow_nan=False)
points = st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[numbers] * n), max_size=30))


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    at_least = all(a >= b for a, b in zip(one, other, strict=True))
    return at_least and any(a > b for a, b in zip(one, other, strict=True))


@given(points)
def test_no_member_is_dominated_and_every_other_point_is_by_a_member(found: list[tuple[float, ...]]) -> None:
    members = front(found)
    assert members == sorted(set(members))
    for index, point in enumerate(found):
        by_members = [m for m in members if dominates(found[m], point)]
        if index in members:
            assert not any(dominates(other, point) for other in found)
        else:
            assert by_members


@given(points, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(found: list[tuple[float, ...]], chance: Any) -> None:
    shuffled = found.copy()
    chance.shuffle(shuffled)
    assert sorted(found[i] for i in front(found)) == sorted(shuffled[i] for i in front(shuffled))


@given(st.lists(st.tuples(*[st.integers(-5, 5).map(float)] * 3), max_size=30))
def test_growing_transforms_change_no_member(found: list[tuple[float, ...]]) -> None:
    transformed = [(a**3, math.exp(b), 2 * c - 7) for a, b, c in found]
    assert front(found) == front(transformed)


@given(st.lists(st.tuples(*[numbers] * 2), max_size=30))
def test_the_way_for_two_dimensions_and_the_way_for_many_agree(found: list[tuple[float, ...]]) -> None:
    distinct = list(dict.fromkeys(found))
    assert {found[i] for i in front(found)} == (set(_many(distinct)) if distinct else set())


@given(st.lists(st.tuples(*[st.sampled_from([None, math.nan, 0.0, 1.0, 2.0])] * 2), max_size=20))
def test_directions_turn_a_front_round_and_what_lacks_a_value_is_counted(found: list[Any]) -> None:
    rows = [(ExperimentId(new_id()), point) for point in found]
    both = [Objective("a", None, Direction.MAXIMIZE), Objective("b", None, Direction.MINIMIZE)]
    members, considered = pareto(rows, both)
    whole = [(key, p) for key, p in rows if None not in p and not any(map(math.isnan, p))]
    assert considered == len(whole)
    turned = [(a, -b) for _, (a, b) in whole]
    assert {key for key, _ in members} == {whole[i][0] for i in front(turned)}
    assert [point for _, point in members] == sorted((p for _, p in members), key=lambda p: (-p[0], p[1]))


def test_ten_thousand_runs_none_of_which_is_dominated_have_a_front() -> None:
    found = [(float(i), float(-i), float(i % 7)) for i in range(10_000)]
    assert len(front(found)) == len(found)
    inner = [(float(i), float(i), float(i)) for i in range(10_000)]
    assert front(inner) == [9_999]
