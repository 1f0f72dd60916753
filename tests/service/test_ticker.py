"""What is done again and again in the background."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.adapters.system.ticker import Ticker, pause_after
from tracker.domain.errors import Unavailable


@given(st.floats(0, 1e6), st.floats(1e-3, 1e3))
def test_work_has_a_tenth_of_the_time_unless_that_made_it_far_too_rare(took: float, usual: float) -> None:
    pause = pause_after(took, usual=usual)
    assert usual <= pause <= 5 * usual
    assert pause == 5 * usual or took / (took + pause) <= 0.1 + 1e-9


def test_quick_work_is_done_as_often_as_asked() -> None:
    assert pause_after(0.0, usual=2.0) == 2.0


async def test_a_failure_is_told_and_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    calls = asyncio.Queue[int]()
    failures = [Unavailable("gone for now"), ValueError("a mistake")]

    async def work() -> None:
        await calls.put(len(failures))
        if failures:
            raise failures.pop()

    ticker = Ticker(work, 0.001)
    ticker.start()
    assert [await calls.get() for _ in range(3)] == [2, 1, 0]
    await ticker.stop()
    assert "unexpected error in the background" in caplog.text and "a mistake" in caplog.text


async def test_it_is_done_once_more_at_the_end() -> None:
    calls = []

    async def work() -> None:
        calls.append(1)

    ticker = Ticker(work, 1e6)
    ticker.start()
    await ticker.stop()
    assert calls == [1]
    await ticker.stop()
    assert calls == [1]
