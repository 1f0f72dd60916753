"""How long searches take in projects of many runs, beside MLflow's over the same runs.

Run: ``python benchmarks/search.py [--runs 10000 100000] [--postgres URL] [--no-mlflow]``. Each run has 10
parameters and 10 metrics. Searches go through the service and give the first 100 experiments with all that
they hold. MLflow gets 1,000 of the runs into a SQLite file, in an environment of its own that is made for it.
Each number is the median of 7 tries.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from entrypoints.http.garbage import spare_what_stays
from tracker.container import Container, build, start, stop
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.identity.actor import local_actor
from tracker.domain.ids import ProjectId
from tracker.settings import Settings

ACTOR = local_actor("benchmark")
TRIES, A_CALL, BULK, MLFLOW_RUNS = 7, 1000, 5000, 1000
STATUSES = (Status.COMPLETE, Status.COMPLETE, Status.FAILED, Status.RUNNING)
SEARCHES = (
    ("m0 > 0.5", "-m0"),
    ("m0 > 0.5 and params.p0 < 0.1", "-m0"),
    ('params.p9 = "lion" and m3 < 0.2', "m1"),
    ("m1 > 0.999", "-m0"),
    ("m1 > 2", "-m0"),
    ("status = complete", "-m2,name"),
    ("not m0 > 0.5", "params.p0"),
    ('name like "%9_run"', "-m0"),
    ("m1 < 0.5", ""),
)
MLFLOW_SEARCHES = (
    ("metrics.m0 > 0.5", "metrics.m0 DESC"),
    ("metrics.m0 > 0.5 and params.p9 = 'lion'", "metrics.m0 DESC"),
)
MLFLOW = """
import json, statistics, sys, time
import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
file, searches, tries = sys.argv[1], *map(json.loads, sys.argv[2:])
mlflow.set_tracking_uri(file)
client = MlflowClient()
home = client.create_experiment("benchmark")
began = time.perf_counter()
for run in json.load(sys.stdin):
    key = client.create_run(home).info.run_id
    client.log_batch(key, metrics=[Metric(m["name"], m["value"], 0, 0) for m in run["metrics"]],
                     params=[Param(name, str(value)) for name, value in run["params"].items()])
print(json.dumps({"version": mlflow.__version__, "filling": time.perf_counter() - began}))
for text, order in searches:
    taken = []
    for _ in range(tries):
        began = time.perf_counter()
        found = client.search_runs([home], text, max_results=100, order_by=[order])
        taken.append(time.perf_counter() - began)
    print(json.dumps({"filter": text, "order": order, "found": len(found), "s": statistics.median(taken)}))
"""


def drafts(count: int) -> list[dict[str, Any]]:
    """Runs with parameters and metrics, the same each time."""
    chance = random.Random(1)
    return [
        {
            "name": f"{number}_run",
            "status": STATUSES[number % len(STATUSES)],
            "params": {**{f"p{k}": chance.random() for k in range(9)}, "p9": chance.choice(["adam", "lion"])},
            "metrics": [{"name": f"m{k}", "value": chance.random()} for k in range(10)],
        }
        for number in range(count)
    ]


async def timed(what: str, call: Callable[[], Awaitable[Any]], tries: int = TRIES) -> Any:
    """Prints what the call takes; gives its last answer."""
    taken = []
    for _ in range(tries):
        began = time.perf_counter()
        answer = await call()
        taken.append(time.perf_counter() - began)
    print(f"  {what:<66}{statistics.median(taken) * 1000:>9.1f} ms", flush=True)
    return answer


async def filled(container: Container, runs: list[dict[str, Any]]) -> ProjectId:
    """A new project with these runs."""
    settings = {"name": f"{len(runs)} runs"}
    project = await container.projects().create(ACTOR, **settings)
    for begin in range(0, len(runs), A_CALL):
        await container.runs().create_many(ACTOR, project.id, runs[begin : begin + A_CALL])
    return project.id


async def measured(url: str, data: Path, sizes: list[int]) -> None:
    """Prints the lines of one database."""
    container = build(Settings(data=data, database_url=url))
    await container.database().prepare(auto_upgrade=True)
    await start(container)
    spare_what_stays()  # as a server does
    try:
        runs = drafts(max(*sizes, BULK))
        print(url.partition(":")[0])
        await timed(f"{BULK} runs created, {A_CALL} a call", lambda: filled(container, runs[:BULK]), 1)
        for size in sizes:
            await _searched(container, runs[:size])
    finally:
        await stop(container)


async def _searched(container: Container, runs: list[dict[str, Any]]) -> None:
    project_id = await filled(container, runs)
    async with container.database().engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # as its autovacuum does within a minute
            await connection.exec_driver_sql("ANALYZE")
    search, only = container.search(), [project_id]
    print(f" {len(runs):,} runs x 10 parameters x 10 metrics")
    for text, order in SEARCHES:
        asked = {"filter": text, "order_by": order}
        await timed(f"{text} | {order}", lambda asked=asked: search.search(ACTOR, only, **asked))
    await timed("all of them, page by page of 1,000", lambda: _all(container, project_id), 1)
    await timed("what can be asked for", lambda: search.fields(ACTOR, project_id))
    await timed("the whole graph", lambda: container.experiments().graph(ACTOR, project_id))


async def _all(container: Container, project_id: ProjectId) -> None:
    cursor: str | None = None
    while True:
        page = await container.search().search(ACTOR, [project_id], order_by="-m0", limit=1000, cursor=cursor)
        cursor = page.next_cursor
        if cursor is None:
            return


def beside_mlflow(folder: Path) -> None:
    """Prints what MLflow takes for the same."""
    print("MLflow, SQLite")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    packages = ["mlflow-skinny", "sqlalchemy", "alembic"]
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *packages], check=True, stderr=subprocess.DEVNULL
    )
    told = subprocess.run(
        [python, "-c", MLFLOW, f"sqlite:///{folder}/mlflow.db", json.dumps(MLFLOW_SEARCHES), str(TRIES)],
        input=json.dumps(drafts(MLFLOW_RUNS)), capture_output=True, text=True, check=True, cwd=folder,
    )  # fmt: skip
    first, *rest = map(json.loads, told.stdout.splitlines())
    print(f" {first['version']}, {MLFLOW_RUNS:,} runs")
    print(f"  {'created one after the other':<66}{first['filling'] * 1000:>9.1f} ms")
    for each in rest:
        what = f"{each['filter']} | {each['order']}"
        print(f"  {what:<66}{each['s'] * 1000:>9.1f} ms")


def main() -> None:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[MLFLOW_RUNS, 10_000, 100_000])
    parser.add_argument("--postgres", help="an empty database: postgresql://user@host/name")
    parser.add_argument("--no-mlflow", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        for url in (f"sqlite:///{folder}/tracker.db", given.postgres):
            if url:
                asyncio.run(measured(url, folder, given.runs))
        if not given.no_mlflow:
            beside_mlflow(folder)


if __name__ == "__main__":
    sys.exit(main())
