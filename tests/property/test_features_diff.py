from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.experiments.features import diff
from tracker.domain.json_tree import flatten, freeze, thaw

scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | st.sampled_from(["a", "b", ""])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
trees = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


def leaves(tree: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            found |= leaves(value, (*prefix, key))
        else:
            found[*prefix, key] = repr(value)
    return found


@given(trees)
def test_a_tree_differs_from_itself_in_nothing(tree: dict[str, Any]) -> None:
    assert diff(freeze(tree), freeze(tree)).is_empty


@given(trees, trees)
def test_the_diff_accounts_for_every_leaf_of_both_trees(a: dict[str, Any], b: dict[str, Any]) -> None:
    found = diff(freeze(a), freeze(b))
    old, new = leaves(a), leaves(b)
    assert set(found.added) == new.keys() - old.keys()
    assert set(found.removed) == old.keys() - new.keys()
    # repr tells 1, 1.0 and True apart, just as the diff must (0.0 and -0.0 are one value).
    differing = {path for path in old.keys() & new.keys() if old[path] != new[path]}
    assert set(found.changed) <= differing
    assert all("-0.0" in old[p] + new[p] or "{" in old[p] for p in differing - set(found.changed))


@given(trees, trees)
def test_swapping_the_trees_swaps_the_diff(a: dict[str, Any], b: dict[str, Any]) -> None:
    there, back = diff(freeze(a), freeze(b)), diff(freeze(b), freeze(a))
    assert there.added == back.removed
    assert there.changed == {path: (old, new) for path, (new, old) in back.changed.items()}


@given(trees)
def test_freezing_loses_nothing(tree: dict[str, Any]) -> None:
    assert repr(thaw(freeze(tree))) == repr(tree)


def test_one_as_integer_float_and_bool_are_three_values() -> None:
    assert diff({"a": 1}, {"a": 1.0}).changed == {("a",): (1, 1.0)}
    assert diff({"a": 1}, {"a": True}).changed == {("a",): (1, True)}


def test_flattening_joins_keys_by_dots() -> None:
    assert flatten({"a": {"b": 1, "c": {}}, "d": 2}) == {"a.b": 1, "a.c": {}, "d": 2}
