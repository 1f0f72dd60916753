from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tries import tries
from tracker.domain.errors import Conflict
from tracker.domain.experiments.features import (
    FeaturesDiff,
    ItemName,
    apply,
    diff,
    dotted,
    invert,
    leaves,
)
from tracker.domain.json_tree import flatten, freeze, same, thaw

keys = st.sampled_from(["a", "b", "a.b", "", "name"])
scalars = st.sampled_from([None, True, False, 0, 1, 2, 0.0, 1.0, 0.5, "", "a", "b", "1"])


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(st.sampled_from("xyz"), st.dictionaries(keys, inner, max_size=2), max_size=3)
    return (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | named.flatmap(lambda items: st.permutations(list(items.items()))).map(_array)
    )


def _array(items: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [{**item, "name": name} for name, item in items]


values = st.recursive(scalars, _containers, max_leaves=12)
trees = st.dictionaries(keys, values, max_size=3)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two trees that share much, so that their differences lie deep."""
    tree = draw(trees)
    return tree, draw(st.just(tree).map(thaw).flatmap(mutated) | trees)


@st.composite
def mutated(draw: st.DrawFn, tree: Any) -> Any:
    if isinstance(tree, dict):
        changed = {k: draw(mutated(v)) if draw(st.booleans()) else v for k, v in tree.items()}
        for key in draw(st.lists(st.sampled_from(sorted(changed)), max_size=1)) if changed else ():
            del changed[key]
        return changed | draw(st.dictionaries(keys, values, max_size=1))
    if isinstance(tree, list) and tree:
        items = [draw(mutated(v)) if draw(st.booleans()) else v for v in tree]
        extra = draw(st.lists(st.sampled_from("xyzw").map(lambda name: {"name": name}) | values, max_size=1))
        changed = [*items[draw(st.integers(0, 1)) :], *extra]
        return draw(st.permutations(changed)) if draw(st.booleans()) else changed
    return draw(values)


@given(trees)
def test_a_tree_differs_from_itself_in_nothing(tree: dict[str, Any]) -> None:
    assert diff(freeze(tree), freeze(tree)).is_empty


@settings(max_examples=tries(100))
@given(pairs())
@example(({"l": {}}, {"l": [{"name": "x", "a": 1}]}))
@example(({"l": [{"name": "x"}]}, {"l": [{"name": "x", "a": 1}]}))
@example(({"l": [{"name": "x", "a": 1}]}, {"l": [{"name": "x"}]}))
@example(({"l": [{"name": "x", "a": 1}]}, {"l": [{"name": "y", "a": 1}]}))
@example(({"l": [{"name": "x"}]}, {"l": [{"name": "x"}, {"name": "x"}]}))
@example(({"l": [{"name": "x", "a": {"b": 1}}]}, {"l": [{"name": "x"}]}))
@example(({"l": [{"name": "x", "a": 1}, {"name": "y"}]}, {"l": [{"name": "y"}, {"name": "x", "a": 2}]}))
@example(({"l": {"x": {"a": 1}}}, {"l": [{"name": "x", "a": 1}]}))
def test_applying_the_difference_to_the_first_gives_the_second(pair: tuple[Any, Any]) -> None:
    a, b = pair
    before = freeze(a)
    assert same(apply(before, diff(before, freeze(b))), b)
    plain = thaw(a)
    assert same(apply(plain, diff(plain, b)), b)
    assert same(plain, a)  # the tree that it was made from stays as it was


@settings(max_examples=tries(100))
@given(pairs())
def test_the_inverse_is_the_difference_the_other_way_round(pair: tuple[Any, Any]) -> None:
    a, b = map(freeze, pair)
    there, back = diff(a, b), diff(b, a)
    for found, wanted in zip(_parts(invert(there)), _parts(back), strict=True):
        assert same_items(found, wanted)
    assert same(apply(b, invert(there)), thaw(a))


def _parts(changes: FeaturesDiff) -> tuple[Any, ...]:
    return (changes.added, changes.removed, changes.changed)


def same_items(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(same(a[path], b[path]) for path in a)


@settings(max_examples=tries(100))
@given(pairs())
def test_the_difference_names_no_path_whose_values_are_equal(pair: tuple[Any, Any]) -> None:
    a, b = map(freeze, pair)
    found = diff(a, b)
    old, new = dict(leaves(a)), dict(leaves(b))
    assert found.is_empty == same(a, b)
    assert all(not same(before, after) for before, after in found.changed.values())
    assert found.added.keys() <= new.keys() - old.keys()
    assert found.removed.keys() <= old.keys() - new.keys()
    assert not found.added.keys() & found.removed.keys()


@settings(max_examples=tries(100))
@given(pairs())
def test_every_leaf_that_differs_lies_at_or_below_a_path_of_the_difference(pair: tuple[Any, Any]) -> None:
    a, b = map(freeze, pair)
    found = diff(a, b)
    named = {*found.added, *found.removed, *found.changed}
    old, new = dict(leaves(a)), dict(leaves(b))
    for path in old.keys() | new.keys():
        if path not in old or path not in new or not same(old[path], new[path]):
            assert any(path[: len(each)] == each for each in named)


def test_named_items_of_an_array_are_steps_of_a_path() -> None:
    layers = [{"name": "conv1", "width": 3}, {"name": "fc"}]
    wider = [{"name": "conv1", "width": 5}, {"name": "fc"}, {"name": "out.1", "width": 10}]
    found = diff({"layers": layers}, {"layers": wider})
    assert found.changed == {("layers", "conv1", "width"): (3, 5)}
    assert found.added == {("layers", "out.1", "width"): 10}
    assert not found.removed
    assert [dotted(path) for path in found.changed] == ["layers.conv1.width"]


def test_an_array_of_named_items_is_made_where_there_was_none() -> None:
    added = {("layers", ItemName("fc"), "width"): 3}
    changes = FeaturesDiff(added=added, removed={}, changed={})
    assert apply({}, changes) == {"layers": [{"name": "fc", "width": 3}]}


def test_items_in_another_order_are_one_changed_leaf() -> None:
    a, b = {"name": "a", "x": 1}, {"name": "b"}
    assert diff({"l": [a, b]}, {"l": [b, a]}).changed == {("l",): ([a, b], [b, a])}
    assert diff({"l": [a]}, {"l": [b, a]}).changed == {("l",): ([a], [b, a])}
    assert diff({"l": [a, a]}, {"l": [a]}).is_empty is False  # two of one name: an array like any other


@pytest.mark.parametrize("tree", [{}, {"a": 2}, {"a": True}, {"a": {"b": 1}}])
def test_a_change_made_from_another_tree_is_refused(tree: dict[str, Any]) -> None:
    for changes in (diff({"a": 1}, {"a": 3}), diff({"a": 1}, {})):
        with pytest.raises(Conflict, match="features: a is not what it was"):
            apply(tree, changes)


@given(trees)
def test_freezing_loses_nothing(tree: dict[str, Any]) -> None:
    assert repr(thaw(freeze(tree))) == repr(tree)


def test_one_as_integer_float_and_bool_are_three_values() -> None:
    assert diff({"a": 1}, {"a": 1.0}).changed == {("a",): (1, 1.0)}
    assert diff({"a": 1}, {"a": True}).changed == {("a",): (1, True)}


def test_flattening_joins_keys_by_dots() -> None:
    assert flatten({"a": {"b": 1, "c": {}}, "d": 2}) == {"a.b": 1, "a.c": {}, "d": 2}
