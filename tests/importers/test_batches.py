"""Points travel in batches that keep all of them, and are recognised."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.importers.tools import bits
from tracker.domain.ids import ExperimentId
from tracker.importers.batches import Piece, batches
from tracker.importers.records import Points

RUN, OTHER = ExperimentId(UUID(int=7)), ExperimentId(UUID(int=8))

points = st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3), st.floats()), max_size=9).map(
    lambda rows: Points.of(*zip(*rows, strict=True)) if rows else Points.of([], [], [])
)
series = st.dictionaries(st.text("abc", min_size=1, max_size=2), points, max_size=4)


@given(series=series, most=st.integers(1, 7))
def test_all_points_travel_once_and_in_order(series: dict[str, Points], most: int) -> None:
    made = list(batches(RUN, [Piece(name, each, 0) for name, each in series.items()], most=most))
    assert all(0 < len(batch) <= most for batch in made)
    found: dict[str, list] = {}
    for batch in made:
        for name, step, time, value in batch.split():
            found.setdefault(name, []).extend(zip(step.tolist(), time.tolist(), bits(value), strict=True))
    assert found == {
        name: list(zip(each.step.tolist(), each.time.tolist(), bits(each.value), strict=True))
        for name, each in series.items()
        if len(each)
    }


@given(series=series, most=st.integers(1, 7), behind=st.integers(0, 3))
def test_a_batch_is_known_by_content_and_place(series: dict[str, Points], most: int, behind: int) -> None:
    def ids(run: ExperimentId, behind: int) -> list[UUID]:
        return [each.id for each in batches(run, [Piece(n, p, behind) for n, p in series.items()], most=most)]

    first = ids(RUN, behind)
    assert first == ids(RUN, behind) and len(set(first)) == len(first)
    assert not set(first) & {*ids(OTHER, behind), *ids(RUN, behind + 10)}
