from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import falcon
import pytest

from entrypoints.http.streaming import ByteRange, Streamed, asked_range


async def test_an_answer_ends_when_nobody_waits_for_it_any_more() -> None:
    read = 0
    closed = asyncio.Event()
    gone = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        try:
            while True:
                read += 1
                yield b"x"
                await asyncio.sleep(0)
        finally:
            closed.set()

    answer = Streamed(endless()).until(gone.wait)
    sent = 0
    async for _ in answer:
        sent += 1
        if sent == 5:
            gone.set()
    await answer.close()
    assert 5 <= sent <= read < 20
    assert closed.is_set()


async def test_an_answer_that_is_waited_for_is_sent_whole() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            yield bytes([number])

    answer = Streamed(chunks()).until(asyncio.Event().wait)
    assert [chunk async for chunk in answer] == [b"\0", b"\1", b"\2"]


@pytest.mark.parametrize(
    ("text", "size", "found"),
    [
        (None, 9, None), ("bytes=0-", 9, ByteRange(0, 9)), ("bytes=3-3", 9, ByteRange(3, 4)),
        ("bytes=-2", 9, ByteRange(7, 9)), ("bytes=-20", 9, ByteRange(0, 9)),
        ("bytes=8-99", 9, ByteRange(8, 9)),
        ("bytes=4-3", 9, None), ("bytes=-", 9, None), ("bytes=1-2,4-5", 9, None), ("chunks=1-2", 9, None),
        ("bytes=" + "9" * 25 + "-", 9, None),
    ],
)  # fmt: skip
def test_a_range_is_read_as_the_standard_has_it(text: str | None, size: int, found: ByteRange | None) -> None:
    assert asked_range(text, size) == found


@pytest.mark.parametrize(("text", "size"), [("bytes=9-", 9), ("bytes=-0", 9), ("bytes=0-", 0)])
def test_a_range_beyond_the_end_is_refused(text: str, size: int) -> None:
    with pytest.raises(falcon.HTTPRangeNotSatisfiable):
        asked_range(text, size)
