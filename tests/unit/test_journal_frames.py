"""Segments: what is written is read, up to the first frame that is not whole."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.factories import new_id
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import ScalarBatch
from tracker.journal import carrying, frames
from tracker.journal.carrying import batches_of
from tracker.journal.frames import Block

NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
    unique=True,
).map(tuple)
BITS = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
INT64 = st.integers(-(2**63), 2**63 - 1)
Row = tuple[tuple[str, ...], int, int, tuple[float, ...]]


@st.composite
def rows(draw: st.DrawFn) -> list[Row | dict[str, Any]]:
    shapes = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    row = st.sampled_from(shapes).flatmap(
        lambda names: st.tuples(st.just(names), INT64, INT64, st.tuples(*[BITS for _ in names]))
    )
    return draw(st.lists(row | st.fixed_dictionaries({"event": st.text(max_size=3)}), max_size=30))


def written(content: Iterable[Row | dict[str, Any]]) -> list[bytes]:
    """The frames of a segment, one a row or event; names go with the first row that has them."""
    found = [frames.header({"writer": "w", "number": 3})]
    numbers: dict[tuple[str, ...], int] = {}
    for each in content:
        if isinstance(each, dict):
            found.append(frames.event(each))
            continue
        names, step, time, values = each
        named = b"" if names in numbers else frames.names(len(numbers), names)
        number = numbers.setdefault(names, len(numbers))
        found.append(named + frames.framed(frames.pack_row(number, len(names))(step, time, *values)))
    return found


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def read_rows(segment: frames.Segment) -> list[Any]:
    found: list[Any] = []
    for part in segment.parts:
        if isinstance(part, Block):
            for step, time, values in zip(
                part.step.tolist(), part.time.tolist(), part.value.tolist(), strict=True
            ):
                found.append((part.names, step, time, [bits(value) for value in values]))
        else:
            found.append(part)
    return found


def plain(content: Iterable[Row | Mapping[str, Any]]) -> list[Any]:
    return [
        each if isinstance(each, dict) else (*each[:3], [bits(value) for value in each[3]])
        for each in content
    ]  # type: ignore[index]


@given(rows())
def test_what_is_written_is_read_bit_for_bit_in_its_order(content: list[Any]) -> None:
    data = b"".join(written(content))
    segment = frames.read(data)
    assert segment.whole == len(data)
    assert segment.header == {"writer": "w", "number": 3}
    assert read_rows(segment) == plain(content)


@given(rows(), st.data())
def test_a_segment_that_is_cut_anywhere_has_all_frames_before_the_cut(
    content: list[Any], data: st.DataObject
) -> None:
    whole = written(content)
    joined = b"".join(whole)
    cut = data.draw(st.integers(0, len(joined)))
    ends = [sum(map(len, whole[: count + 1])) for count in range(len(whole))]
    kept = sum(end <= cut for end in ends) - 1  # without the header
    assert read_rows(frames.read(joined[:cut])) == plain(content[: max(0, kept)])


@given(rows(), st.data())
def test_a_flipped_bit_ends_the_segment_and_changes_nothing_before(
    content: list[Any], data: st.DataObject
) -> None:
    joined = b"".join(written(content))
    at = data.draw(st.integers(0, len(joined) - 1))
    spoilt = bytearray(joined)
    spoilt[at] ^= 1 << data.draw(st.integers(0, 7))
    found = read_rows(frames.read(bytes(spoilt)))
    assert found == plain(content)[: len(found)]
    assert frames.read(bytes(spoilt)).whole <= at


@given(rows(), st.integers(1, 7), st.integers(0, 2))
def test_batches_hold_every_point_once_in_order_and_are_named_alike_each_time(
    content: list[Any], largest: int, rank: int
) -> None:
    present, carrying.LARGEST_BATCH = carrying.LARGEST_BATCH, largest
    try:
        segment = frames.read(b"".join(written(content)))
        batches = list(batches_of(segment, ExperimentId(new_id()), rank=rank))
        again = list(batches_of(segment, ExperimentId(new_id()), rank=rank))
    finally:
        carrying.LARGEST_BATCH = present
    assert [batch.id for batch in batches] == [batch.id for batch in again]
    assert len({batch.id for batch in batches}) == len(batches)
    assert all(len(batch) <= max(largest, 4) for batch in batches)
    suffix = f"@rank{rank}" if rank else ""
    expected = [
        (name + suffix, step, time, bits(value))
        for names, step, time, values in (each for each in content if not isinstance(each, dict))
        for name, value in zip(names, values, strict=True)
    ]
    assert [point for batch in batches for point in points(batch)] == expected


def points(batch: ScalarBatch) -> list[tuple[str, int, int, bytes]]:
    columns = (batch.series.tolist(), batch.step.tolist(), batch.time.tolist(), batch.value.tolist())
    return [
        (batch.names[at], step, time, bits(value)) for at, step, time, value in zip(*columns, strict=True)
    ]


def test_a_row_of_nothing_but_noise_is_no_segment() -> None:
    assert frames.read(b"").parts == ()
    assert frames.read(b"\xff" * 1000).whole == 0
    assert math.isnan(frames.read(b"".join(written([(("a",), 0, 0, (math.nan,))]))).parts[0].value[0, 0])  # type: ignore[union-attr]
