from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from tests.factories import new_id
from tracker.adapters.sql.coalescing import Coalescer

ONE, TWO, THREE = new_id(), new_id(), new_id()


class Source:
    """A real fetch whose queries wait to be let go, and which tells what it was asked."""

    def __init__(self) -> None:
        self.rows: dict[UUID, str] = {ONE: "one", TWO: "two"}
        self.queries: list[list[UUID]] = []
        self.error: Exception | None = None
        self.go = asyncio.Semaphore(0)

    async def fetch(self, keys: Sequence[UUID]) -> Mapping[UUID, str]:
        self.queries.append(list(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        error = self.error
        await self.go.acquire()
        if error is not None:
            raise error
        return found


async def settle() -> None:
    """Lets every task run until it waits for something else."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_keys_asked_for_during_a_query_share_the_next_one() -> None:
    source = Source()
    coalescer = Coalescer(source.fetch)
    first = asyncio.create_task(coalescer.get(ONE))
    await settle()
    others = [asyncio.create_task(coalescer.get(key)) for key in (TWO, THREE, TWO)]
    await settle()
    source.go.release()
    source.go.release()
    assert await asyncio.gather(first, *others) == ["one", "two", None, "two"]
    assert source.queries == [[ONE], [TWO, THREE]]


async def test_a_key_is_answered_by_a_query_begun_after_the_call() -> None:
    source = Source()
    coalescer = Coalescer(source.fetch)
    before = asyncio.create_task(coalescer.get(ONE))
    await settle()
    source.rows[ONE] = "changed while the query ran"
    after = asyncio.create_task(coalescer.get(ONE))
    await settle()
    source.go.release()
    source.go.release()
    assert await before == "one"
    assert await after == "changed while the query ran"


async def test_a_waiter_who_is_cancelled_takes_nobody_along() -> None:
    source = Source()
    coalescer = Coalescer(source.fetch)
    leaving, staying = (asyncio.create_task(coalescer.get(ONE)) for _ in range(2))
    await settle()
    leaving.cancel()
    source.go.release()
    assert await staying == "one"
    assert leaving.cancelled()


async def test_a_failure_reaches_everybody_who_asked_and_nobody_after() -> None:
    source = Source()
    coalescer = Coalescer(source.fetch)
    source.error = ConnectionError("gone")
    failing = [asyncio.create_task(coalescer.get(ONE)) for _ in range(3)]
    await settle()
    source.error = None
    later = asyncio.create_task(coalescer.get(ONE))
    source.go.release()
    source.go.release()
    errors = await asyncio.gather(*failing, return_exceptions=True)
    assert [str(error) for error in errors] == ["gone"] * 3
    assert await later == "one"


async def test_more_keys_than_a_query_takes_are_all_answered() -> None:
    source = Source()
    coalescer = Coalescer(source.fetch)
    keys = [new_id() for _ in range(450)]
    source.rows |= {key: str(key) for key in keys}
    for _ in range(3):
        source.go.release()
    assert await asyncio.gather(*map(coalescer.get, keys)) == [str(key) for key in keys]
    assert [len(query) for query in source.queries] == [200, 200, 50]
