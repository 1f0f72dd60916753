"""How long a large project takes: runs created in bulk, its graph, moves, names, cycle checks.

python benchmarks/lineage.py [URL...]    # by default a SQLite file; PostgreSQL: postgresql://user@host/name
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from tracker.container import Container, build, start, stop
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actor import local_actor
from tracker.settings import Settings

ACTOR = local_actor("benchmark")
RUNS, BULK = 10_000, 5_000


async def measured(url: str, data: Path) -> None:
    """Prints a line for each thing that is measured."""
    container = build(Settings(data=data, database_url=url))
    await container.database().prepare(auto_upgrade=True)
    await start(container)
    statements: list[str] = []
    sa.event.listen(
        container.database().engine.sync_engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2]),
    )
    print(url.partition(":")[0])

    async def timed(what: str, call: Callable[[], Awaitable[Any]], times: int = 5) -> Any:
        taken = []
        for _ in range(times):
            statements.clear()
            began = time.perf_counter()
            answer = await call()
            taken.append(time.perf_counter() - began)
        middle = statistics.median(taken) * 1000
        print(f"  {what:<58} {middle:>8.1f} ms  {len(statements):>5} statements", flush=True)
        return answer

    await _bulk(container, timed)
    await _large(container, timed)
    await stop(container)


async def _bulk(container: Container, timed: Callable[..., Awaitable[Any]]) -> None:
    project = await container.projects().create(ACTOR, name="bulk")
    runs = [
        {
            "name": f"{number}_run",
            "status": Status.COMPLETE,
            "params": {f"p{k}": number * k / 7 for k in range(10)},
            "metrics": [{"name": f"m{k}", "value": number / (k + 1)} for k in range(10)],
        }
        for number in range(BULK)
    ]

    async def create() -> None:
        for begin in range(0, BULK, 1000):
            await container.runs().create_many(ACTOR, project.id, runs[begin : begin + 1000])

    await timed(f"{BULK} runs with 10 parameters and 10 metrics, 1000 a call", create, times=1)


async def _large(container: Container, timed: Callable[..., Awaitable[Any]]) -> None:
    experiments = container.experiments()
    project = await container.projects().create(ACTOR, name="large")
    for begin in range(0, RUNS, 1000):
        names = [_name(number) for number in range(begin + 1, begin + 1001)]
        await experiments.create_many(ACTOR, project.id, [{"name": name, "tags": ("a",)} for name in names])
    graph = await timed(f"graph of {RUNS} experiments", lambda: experiments.graph(ACTOR, project.id))
    await timed("the same with depths and edges", lambda: _derived(container, project.id))
    last, first = graph.members[-1].id, graph.members[0].id
    await timed("one created whose name gives its parent", lambda: experiments.create(
        ACTOR, project.id, name="7_from_9999_x"))  # fmt: skip
    await timed("one created with the next number", lambda: experiments.create(
        ACTOR, project.id, name="{num}_from_9999_x"))  # fmt: skip
    await timed("check of a name", lambda: experiments.check_name(ACTOR, project.id, "{num}_from_9999_x"))
    await timed("a change of parents", lambda: _reparented(container, last, first))

    async def move() -> None:
        async with container.units().writing() as unit:
            present = await unit.experiments.positions(project.id)
            *others, moved = present
            await unit.experiments.reorder({moved: 0, **{key: n + 1 for n, key in enumerate(others)}})
            await unit.commit()

    await timed("the last moved to the front", move)
    await timed("the same with the answer", lambda: experiments.reorder(ACTOR, project.id, [last]), times=2)


def _name(number: int) -> str:
    return f"{number}_baseline" if number == 1 else f"{number}_from_{max(1, number - 7)}_change"


async def _derived(container: Container, project_id: Any) -> None:
    graph = await container.experiments().graph(ACTOR, project_id)
    assert len(graph.depths) == len(graph.edges) + 1


async def _reparented(container: Container, child: Any, parent: Any) -> None:
    await container.experiments().edit(ACTOR, child, parent_id=None)
    await container.experiments().edit(ACTOR, child, parent_id=parent)


def main() -> None:
    """Each database of the command line."""
    for url in sys.argv[1:] or [""]:
        with TemporaryDirectory() as folder:
            asyncio.run(measured(url or f"sqlite:///{folder}/tracker.db", Path(folder)))


if __name__ == "__main__":
    main()
