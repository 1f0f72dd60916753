"""The forest plot in text."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from entrypoints.cli.forest import forest
from tests.evidence_worlds import World
from tests.property.test_evidence_laws import worlds

MARKS = "■◆"


def test_a_plot_by_hand() -> None:
    world = (
        World().with_runs([0.0, 1.0, 2.0], recipe="base").with_runs([4.0, 5.0, 6.0], recipe="x", linked=True)
    )
    lines = list(forest(world.judged(), 21))
    low = 4 - 2.776445105 * math.sqrt(2 / 3)
    assert 1.7 < low < 1.8
    assert lines[0].startswith("acc, maximize") and lines[0].endswith("0              better")
    assert lines[1].startswith("4 ×3 / 1 ×3") and "┊     ├──────■──────┤" in lines[1]
    assert lines[1].endswith("+4  [+1.73, +6.27]")
    assert lines[2].startswith("all") and lines[2].endswith("p = 0.008")


def test_without_anything_compared_there_is_no_plot() -> None:
    assert list(forest(World().judged())) == []


@given(worlds(), st.integers(11, 60))
def test_every_row_has_its_mark_on_the_axis_between_the_ends_of_its_interval(
    world: World, width: int
) -> None:
    evidence = world.judged()
    lines = list(forest(evidence, width))
    drawn = [t for t in evidence.targets if t.effect is not None]
    groups = [g for g in evidence.groups if g.effect is not None]
    assert len(lines) == 2 * len(drawn) + len(groups)
    for line in lines:
        row = line[37 : 37 + width].ljust(width)
        if not set(row) & set(MARKS):
            assert "0" in row
            continue
        (mark,) = [i for i, c in enumerate(row) if c in MARKS]
        if "├" in row and "┤" in row:
            assert row.index("├") <= mark <= row.index("┤")
        assert len(line) <= 37 + width + 60
