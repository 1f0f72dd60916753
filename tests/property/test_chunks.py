"""Chunks, blocks and samples of them against plain lists and brute force."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.brute_force import assert_sampled
from tracker.adapters.scalars.chunks import (
    CHUNK_POINTS,
    Arrivals,
    Blocks,
    Chunk,
    Columns,
    Piece,
    Sampler,
    Totals,
    TotalsTable,
    by_series,
    chunked,
    decoded_together,
    join,
    rewritten,
    totals,
    totals_of,
)
from tracker.adapters.scalars.chunks.codec import PCODEC, ZLIB, compress, decompress
from tracker.adapters.scalars.chunks.totals import added
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.series import Axis, SampleQuery, TimeWindow

RUN = ExperimentId(UUID(int=1))
SIZES = st.sampled_from([1, 5, 255, 256, 257, 3000, CHUNK_POINTS, CHUNK_POINTS + 1, 20_000])


@st.composite
def parts(draw: st.DrawFn, most: int = 4) -> list[Columns]:
    """What is logged in one go each: in order, out of order, again from an earlier step, all at once."""
    found, start = [], draw(st.sampled_from([-(2**63), -40_000, 0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    for _ in range(draw(st.integers(1, most))):
        size = draw(SIZES)
        step = start + np.arange(size)
        match draw(st.sampled_from(["on", "on", "again", "shuffled", "doubled", "one step", "sparse"])):
            case "again":
                step -= min(size // 2, start + 2**63)
            case "shuffled":
                step = rng.permutation(step)
            case "doubled":
                step = start + np.arange(size) // 2
            case "one step":
                step = np.full(size, start)
            case "sparse":
                step = start + np.cumsum(rng.integers(1, 2**40, size))
        time = step * 1000 if start > -(2**50) else np.arange(size)
        if draw(st.sampled_from([False, False, True])):
            time = time + rng.integers(-5000, 5000, size)
        value = rng.standard_normal(size)
        value[rng.random(size) < draw(st.sampled_from([0.0, 0.0, 0.001, 1.0]))] = np.nan
        found.append(Columns(step, time, value))
        start = int(step.max()) + 1
    return found


def stored(each: Columns) -> list[Chunk]:
    arrival = np.ones(len(each.value), np.int64)
    return list(chunked(Arrivals(each, arrival)))


def sampled(chunks: list[Chunk], loose: Columns, query: SampleQuery) -> tuple[Sampler, set[int]]:
    packed = [(chunk.blocks, chunk.points, chunk.codec) for chunk in chunks]
    if len(chunks) % 2:
        sampler = Sampler.of_packed(packed, loose, query)
    else:
        sampler = Sampler([Blocks.unpack(*each) for each in packed], loose, query)
    opened: set[int] = set()
    while missing := sampler.missing():
        assert not opened & set(missing)
        opened |= set(missing)
        sampler.supply({index: chunks[index].columns() for index in missing})
    return sampler, opened


def rows_of(points: Columns) -> list[tuple[int, int, bytes]]:
    columns = points.step.tolist(), points.time.tolist(), [value.tobytes() for value in points.value]
    return list(zip(*columns, strict=True))


@given(
    parts(),
    st.booleans(),
    st.sampled_from([None, 1, 2, 3, 4, 50, 1000, 30_000]),
    st.sampled_from(Axis),
    st.sampled_from([(None, None), (0.2, None), (0.3, 0.31), (None, 0.9)]),
    st.sampled_from([(None, None), (0.5, None), (0.1, 0.6)]),
)
def test_sample_of_blocks_is_one_that_the_contract_allows(
    logged: list[Columns], last_is_loose: bool, max_points: int | None, axis: Axis, part: tuple, window: tuple
) -> None:
    everything = join(logged).by_step()
    start, stop = (bound(everything.step, share) for share in part)
    since, until = (bound(everything.time, share) for share in window)
    query = SampleQuery(
        experiments=(RUN,), names=None, max_points=max_points, axis=axis, start=start, stop=stop,
        window=TimeWindow(start=since, stop=until),
    )  # fmt: skip
    chunks = [chunk for each in (logged[:-1] if last_is_loose else logged) for chunk in stored(each)]
    loose = logged[-1] if last_is_loose else logged[-1].take(slice(0, 0))
    sampler, opened = sampled(chunks, loose, query)
    found = sampler.thinned()
    mask = query.mask(everything.step, everything.time)
    points = rows_of(everything if mask is None else everything.take(mask))
    event(f"{len(opened)} of {len(chunks)} chunks opened")
    if not points:
        assert found is None
        return
    assert found is not None
    assert_sampled(found, points, max_points, axis)


def bound(column: np.ndarray, share: float | None) -> int | None:
    return None if share is None else int(np.sort(column)[int(share * (len(column) - 1))])


@pytest.mark.parametrize("axis", Axis)
def test_zooming_out_opens_no_chunk(axis: Axis) -> None:
    step = np.arange(300_000)
    points = Columns(step, step * 1000, np.sin(step))
    query = SampleQuery(experiments=(RUN,), max_points=1000, axis=axis)
    sampler, opened = sampled(stored(points), points.take(slice(0, 0)), query)
    assert opened == set()
    thinned = sampler.thinned()
    assert thinned is not None and len(thinned.edges) == 250


@given(parts(2), st.integers(0, 3))
def test_chunk_gives_back_every_bit_and_finds_no_fault_in_itself(logged: list[Columns], arrival: int) -> None:
    points = join(logged)
    arrivals = Arrivals(points, np.arange(len(points.value)) // 7 + arrival)
    chunks = list(chunked(arrivals))
    again = join([chunk.columns() for chunk in chunks])
    assert rows_of(again) == rows_of(points.by_step())
    brought = np.concatenate([chunk.arrivals().arrival for chunk in chunks])
    assert brought.tolist() == arrivals.by_step().arrival.tolist()
    assert [chunk.fault() for chunk in chunks] == [None] * len(chunks)
    assert all(chunk.points <= CHUNK_POINTS for chunk in chunks)


@pytest.mark.parametrize("column", ["blocks", "step", "time", "value", "arrival"])
def test_changed_byte_of_a_chunk_is_a_fault(column: str) -> None:
    step = np.arange(3000)
    (chunk,) = stored(Columns(step, step, np.sqrt(step)))
    data = bytearray(getattr(chunk, column))
    data[len(data) // 2] ^= 1
    assert chunk._replace(**{column: bytes(data)}).fault() == "its checksum is another one"


def test_head_that_does_not_fit_its_points_is_a_fault() -> None:
    step = np.arange(3000)
    (chunk,) = stored(Columns(step, step, np.sqrt(step)))
    (other,) = stored(Columns(step, step, -np.sqrt(step)))
    assert "end at" in str(chunk._replace(first_step=-1).fault())
    assert "points, not" in str(chunk._replace(points=3001).fault())
    swapped = chunk._replace(blocks=other.blocks, checksum=chunk.checksum)
    assert swapped.fault() is not None


@pytest.mark.parametrize("codec", [ZLIB, PCODEC])
@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_codec_gives_back_every_bit(codec: int, dtype: type) -> None:
    words = np.random.default_rng(3).integers(-(2**63), 2**63, 10_000)
    column = np.concatenate((words, np.arange(10_000))).view(dtype)
    packed = compress(column, codec)
    again = decompress(packed, dtype, codec)
    assert again.dtype == dtype and again.tobytes() == column.tobytes()
    with pytest.raises(ValueError):
        decompress(packed[: len(packed) // 2], dtype, codec)


@given(parts(2), st.integers(1, 3))
def test_tail_gives_back_each_series_in_arrival_order(logged: list[Columns], series: int) -> None:
    pieces = [Piece(np.arange(len(each.value)) % series, each) for each in logged]
    found = by_series([(number, piece.pack()) for number, piece in enumerate(pieces, start=1)])
    for key, arrivals in found.items():
        wanted = [piece.columns.take(piece.series == key) for piece in pieces]
        assert rows_of(arrivals.points) == rows_of(join(wanted))
        assert arrivals.arrival.tolist() == [
            number for number, each in enumerate(wanted, start=1) for _ in each.value
        ]
    assert sorted(found) == sorted({int(key) for piece in pieces for key in piece.series})


@given(parts(3))
def test_totals_of_parts_add_up_to_those_of_all(logged: list[Columns]) -> None:
    keys = [np.zeros(len(each.value), np.int64) for each in logged]
    sum_of_parts = None
    for key, each in zip(keys, logged, strict=True):
        sum_of_parts = added(sum_of_parts, totals(key, each)[0])
    whole = totals(np.concatenate(keys), join(logged))[0]
    assert repr(sum_of_parts) == repr(whole) == repr(totals_of(join(logged)))


@given(st.lists(parts(1), min_size=1, max_size=4), st.lists(parts(1), max_size=4), st.integers(1, 5))
def test_totals_of_many_series_add_up_as_those_of_each(
    before: list[list[Columns]], after: list[list[Columns]], apart: int
) -> None:
    first = {key: totals_of(points) for key, (points,) in enumerate(before)}
    later = {key * apart: totals_of(points) for key, (points,) in enumerate(after)}
    keys = [*reversed(range(len(before) + 2))]  # in any order, some without points
    zeros = bytes(len(first[0].pack()))
    table = TotalsTable.unpacked(keys, [first[key].pack() if key in first else zeros for key in keys])
    more = TotalsTable.unpacked(list(later), [total.pack() for total in later.values()])
    found = {
        key: Totals(*row)
        for key, *row in zip(keys, *table.plus(more).columns(), strict=True)
        if row[0]  # points
    }
    one_by_one = {key: added(first.get(key), later[key]) if key in later else first[key]
                  for key in keys if key in first or key in later}  # fmt: skip
    assert repr(sorted(found.items())) == repr(sorted(one_by_one.items()))


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324])
def test_packed_totals_keep_every_bit_of_the_last_value(value: float) -> None:
    total = totals_of(Columns(np.array([-(2**63)]), np.array([2**63 - 1]), np.array([value])))
    again = Totals.unpack(total.pack())
    assert again[:5] + again[6:] == total[:5] + total[6:]
    assert np.float64(again.last_value).tobytes() == np.float64(value).tobytes()


@pytest.mark.parametrize("size", [0, 71, 73])
def test_packed_totals_of_another_length_are_damaged(size: int) -> None:
    with pytest.raises(ValueError, match="totals"):
        Totals.unpack(bytes(size))
    with pytest.raises(ValueError, match="totals"):
        TotalsTable.unpacked([1, 2], [bytes(72), bytes(size)])


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=200))
def test_points_are_rewritten_a_logarithmic_number_of_times(folds: list[int]) -> None:
    chunks: list[int] = []
    written = 0
    for new in folds:
        taken = rewritten(reversed(chunks), new)
        size = new + sum(chunks[len(chunks) - taken :])
        del chunks[len(chunks) - taken :]
        chunks.append(size)
        written += size
        assert size <= CHUNK_POINTS
    assert sum(chunks) == sum(folds)
    assert written <= sum(folds) * 14


@given(parts())
def test_chunks_decoded_together_are_those_decoded_one_by_one(logged: list[Columns]) -> None:
    points = join(logged)
    chunks = list(chunked(Arrivals(points, np.ones(len(points.value), np.int64))))
    together = decoded_together([(c.points, c.codec, c.step, c.time, c.value) for c in chunks])
    one_by_one = join([chunk.columns() for chunk in chunks])
    for column, other in zip(together, one_by_one, strict=True):
        assert column.tobytes() == other.tobytes()


@pytest.mark.parametrize("points", [-1, 0, 9, 11, CHUNK_POINTS, CHUNK_POINTS + 1, 2**40])
def test_a_chunk_that_has_not_as_many_points_as_it_says_is_damaged(points: int) -> None:
    ten = Columns(np.arange(10), np.arange(10), np.arange(10.0))
    (chunk,) = chunked(Arrivals(ten, np.ones(10, np.int64)))
    for codec, columns in (
        (chunk.codec, (chunk.step, chunk.time, chunk.value)),
        (ZLIB, tuple(compress(column, ZLIB) for column in ten)),
    ):
        with pytest.raises(ValueError, match="points"):
            decoded_together([(points, codec, *columns)])
