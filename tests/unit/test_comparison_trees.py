from __future__ import annotations

from tests.factories import a_file, a_project, a_snapshot, an_experiment
from tracker.domain.comparison.compared import compare
from tracker.domain.comparison.trees import environment_differences, tree_state

PROJECT = a_project()
ONE, OTHER, BARE = (an_experiment(PROJECT, name=name) for name in ("one", "other", "bare"))
BASE = a_snapshot(
    ONE, a_file("a.py", b"1"), a_file("b.py", b"1"), a_file("c.sh", b"1"), a_file("gone", b"1"),
    environment={"packages": {"numpy": "2.0", "torch": "2.5"}, "python": {"version": "3.12", "build": "x"}},
)  # fmt: skip
LATER = a_snapshot(
    OTHER, a_file("a.py", b"1"), a_file("b.py", b"2"), a_file("c.sh", b"1", mode=0o755), a_file("new", b"1"),
    environment={"packages": {"numpy": "2.1", "torch": "2.5"}, "python": {"version": "3.12", "build": "y"}},
)  # fmt: skip


def test_a_tree_tells_what_came_went_and_changed() -> None:
    found = tree_state(OTHER.id, LATER, BASE)
    assert (found.is_known, found.same, found.files) == (True, False, 4)
    assert (found.added, found.removed, found.changed) == (("new",), ("gone",), ("b.py", "c.sh"))


def test_the_same_files_are_the_same_and_what_is_unknown_is_neither() -> None:
    assert tree_state(OTHER.id, BASE, BASE).same is True
    assert tree_state(OTHER.id, LATER, None) == (OTHER.id, True, None, 4, (), (), ())
    assert tree_state(BARE.id, None, BASE) == (BARE.id, False, None, 0, (), (), ())


def test_only_packages_of_known_environments_are_compared() -> None:
    snapshots = {ONE.id: BASE, OTHER.id: LATER}
    (numpy,) = environment_differences([ONE.id, OTHER.id, BARE.id], snapshots)
    assert numpy.name == "packages.numpy"
    assert numpy.values == {ONE.id: "2.0", OTHER.id: "2.1"}
    assert environment_differences([BARE.id], {}) == ()
    assert environment_differences([ONE.id, BARE.id], {ONE.id: BASE, BARE.id: a_snapshot(BARE)}) == ()


def test_two_experiments_are_told_apart_by_their_files_in_words() -> None:
    found = compare([ONE, OTHER], ONE.id, None, snapshots={ONE.id: BASE, OTHER.id: LATER})
    assert found.words is not None
    assert "The files that ran differ: b.py changed, c.sh changed, new added, gone removed." in found.words
    assert "Environment: packages.numpy 2.0 -> 2.1." in found.words.replace('"', "")
    same = compare([ONE, OTHER], ONE.id, None, snapshots={ONE.id: BASE, OTHER.id: BASE})
    assert same.words is not None and "The files that ran are the same." in same.words
    assert [state.same for state in same.trees] == [True, True]
    unknown = compare([ONE, OTHER], ONE.id, None)
    assert unknown.words is not None and "files that ran" not in unknown.words
