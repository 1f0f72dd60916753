from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_project, an_experiment
from tracker.domain.errors import Invalid, LineageCycle, NotFound
from tracker.domain.experiments.graph import Edge, EdgeKind, Graph, Member
from tracker.domain.experiments.lineage import (
    ancestors,
    check_no_cycle,
    check_parents,
    depth_first,
    depths,
    descendants,
    is_acyclic,
    roots,
)
from tracker.domain.ids import ExperimentId

A, B, C, D, E = (ExperimentId(UUID(int=n)) for n in range(1, 6))


@st.composite
def dags(draw: st.DrawFn) -> dict[ExperimentId, tuple[ExperimentId, ...]]:
    """Parents of up to eight experiments, each younger than its parents, in any order."""
    keys = [ExperimentId(UUID(int=n)) for n in range(1, draw(st.integers(1, 8)) + 1)]
    parents = {
        key: tuple(draw(st.lists(st.sampled_from(keys[:age]), unique=True, max_size=3)) if age else ())
        for age, key in enumerate(keys)
    }
    return {key: parents[key] for key in draw(st.permutations(keys))}


@given(dags())
def test_what_is_above_is_what_has_it_below(parents: dict[ExperimentId, tuple[ExperimentId, ...]]) -> None:
    for key in parents:
        above = ancestors(parents, key)
        assert len(set(above)) == len(above)
        assert key not in above
        assert set(above) == {other for other in parents if key in descendants(parents, other)}


@given(dags())
def test_an_edge_from_an_ancestor_and_no_other_makes_a_cycle(
    parents: dict[ExperimentId, tuple[ExperimentId, ...]],
) -> None:
    assert is_acyclic(parents)
    for child in parents:
        for parent in parents:
            changed = {**parents, child: (*parents[child], parent)}
            try:
                check_no_cycle(child, [parent], ancestors(parents, parent))
            except LineageCycle:
                assert not is_acyclic(changed)
            else:
                assert is_acyclic(changed)


@given(dags())
def test_depths_count_the_steps_to_the_root(parents: dict[ExperimentId, tuple[ExperimentId, ...]]) -> None:
    lines = {key: above[0] if above else None for key, above in parents.items()}
    found = depths(lines)
    assert found == dict(depth_first(lines))
    for key, parent in lines.items():
        assert found[key] == (0 if parent is None else found[parent] + 1)
    assert set(roots(parents)) == {key for key, above in parents.items() if not above}


def test_a_line_of_ten_thousand_is_no_matter_of_recursion() -> None:
    keys = [ExperimentId(UUID(int=n)) for n in range(1, 10_001)]
    lines = dict(zip(reversed(keys), [*reversed(keys[:-1]), None], strict=True))
    assert depths(lines)[keys[-1]] == 9_999
    assert len(ancestors({key: (p,) if p else () for key, p in lines.items()}, keys[-1])) == 9_999


def test_parents_elsewhere_count_as_none() -> None:
    assert roots({A: (E,), B: (A,)}) == (A,)
    assert depths({A: E, B: A}) == {A: 0, B: 1}


def test_each_parent_stands_once_and_none_is_the_child_itself() -> None:
    check_parents(A, B, (C, D))
    with pytest.raises(LineageCycle, match="parent: "):
        check_parents(A, A, ())
    with pytest.raises(LineageCycle, match="merged_from: "):
        check_parents(A, B, (C, A))
    with pytest.raises(Invalid, match="merged_from: "):
        check_parents(A, B, (C, B))
    with pytest.raises(Invalid, match="twice"):
        an_experiment(a_project(), merged_from=(B, B))


def test_a_graph_tells_edges_roots_and_who_stands_where() -> None:
    project = a_project()
    runs = [
        an_experiment(project, id=A),
        an_experiment(project, id=B, parent_id=A),
        an_experiment(project, id=C),
        an_experiment(project, id=D, parent_id=B, merged_from=(C,)),
        an_experiment(project, id=E, merged_from=(D,)),
    ]
    graph = Graph([
        Member(r.id, r.name, r.status, r.parent_id, r.merged_from, r.color, 0, r.tags, r.created_at)
        for r in runs
    ])  # fmt: skip
    primary, merged = EdgeKind.PRIMARY, EdgeKind.MERGED
    assert graph.edges == (Edge(A, B, primary), Edge(B, D, primary), Edge(C, D, merged), Edge(D, E, merged))
    assert graph.roots() == (A, C, E)
    assert [graph.root_of(key) for key in (A, D, E)] == [A, A, E]
    assert graph.depths == {A: 0, B: 1, C: 0, D: 2, E: 0}
    assert graph.ancestors(E) == (D, B, C, A)
    assert graph.descendants(C) == (D, E)
    with pytest.raises(NotFound):
        graph.root_of(ExperimentId(UUID(int=9)))
