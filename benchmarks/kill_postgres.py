"""Kills writers and PostgreSQL under load, and looks for what was lost.

Usage: python benchmarks/kill_postgres.py [rounds, 60]

In each round three processes write one experiment and fold it as they go, while this one folds it, too. At
a random moment one of these happens: a writer is killed; the server is restarted (SIGINT); it crashes
(SIGQUIT); its main process is killed (SIGKILL). Afterwards every acknowledged batch must be there, none
twice, none torn, and ``verify`` must be clean.
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

from tests.databases import PostgresServer, own_postgres
from tests.service import scalars_postgres_writer as writer
from tracker.adapters.scalars.postgres import PostgresScalarStore
from tracker.domain.errors import Unavailable
from tracker.domain.ids import ExperimentId

WRITERS = 3
FOREVER = 1_000_000
SIGNALS = {
    "server restarted": signal.SIGINT,
    "server crashed": signal.SIGQUIT,
    "server killed": signal.SIGKILL,
}
KINDS = ("writer killed", *SIGNALS)


class Lane:
    """A process that writes, and what it said is durable."""

    def __init__(self, url: str, run: ExperimentId, lane: int) -> None:
        command = [sys.executable, writer.__file__, url, str(run), str(lane), str(FOREVER)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._said, self._killed = 0, False

    def wait(self) -> None:
        """Returns when its first batch is durable."""
        if self._process.stdout is not None:
            self._said = len(self._process.stdout.readline().splitlines())

    def kill(self) -> None:
        """Ends it without a chance to finish anything.

        Raises:
            AssertionError: it had ended by itself, of an error that it printed.
        """
        assert self._process.poll() is None or self._killed, "a writer failed"
        self._killed = True
        self._process.kill()

    def acknowledged(self) -> int:
        """How many batches it said were durable, once it has ended."""
        return self._said + len(self._process.communicate()[0].splitlines())


def strike(server: PostgresServer, lanes: list[Lane], kind: str) -> None:
    """Does what this round is about."""
    if kind == "writer killed":
        lanes[0].kill()
        return
    by = {
        "server restarted": signal.SIGINT,
        "server crashed": signal.SIGQUIT,
        "server killed": signal.SIGKILL,
    }
    server.stop(by[kind])
    server.start()


async def keep_folding(url: str) -> None:
    """Folds whatever there is to fold, until it is cancelled."""
    store = PostgresScalarStore(url)
    try:
        while True:
            try:
                await store.maintain(1.0)
            except Unavailable:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.01)
    finally:
        await store.close()


async def one_round(server: PostgresServer, kind: str, chance: random.Random) -> tuple[int, int]:
    """How many batches were acknowledged, and how many are there.

    Raises:
        AssertionError: something acknowledged is lost, or something is there twice or in part.
    """
    run = ExperimentId(uuid4())
    lanes = [Lane(server.url, run, lane) for lane in range(WRITERS)]
    folding = asyncio.create_task(keep_folding(server.url))
    for lane in lanes:
        await asyncio.to_thread(lane.wait)
    await asyncio.sleep(chance.uniform(0.1, 1.5))
    await asyncio.to_thread(strike, server, lanes, kind)
    await asyncio.sleep(chance.uniform(0.3, 1.0))
    for lane in lanes:
        lane.kill()
    acknowledged = [await asyncio.to_thread(lane.acknowledged) for lane in lanes]
    folding.cancel()
    await asyncio.gather(folding, return_exceptions=True)
    store = PostgresScalarStore(server.url)
    kept = await look(store, run, acknowledged)
    await store.maintain(30.0)
    assert await look(store, run, acknowledged) == kept, "folding changed what is there"
    await store.delete(writer.PROJECT, run)
    await store.close()
    return sum(acknowledged), kept


async def look(store: PostgresScalarStore, run: ExperimentId, acknowledged: list[int]) -> int:
    """How many batches are there; each lane has a whole number of them, without a gap or a double."""
    assert (faults := await store.verify(writer.PROJECT)) == (), faults
    loss, acc = [(await store.read(writer.PROJECT, run, name)).step for name in ("loss", "acc")]
    assert loss.tolist() == acc.tolist(), "a batch is there in part"
    kept = 0
    for lane, said in enumerate(acknowledged):
        own = loss[loss // writer.LANE_STEPS == lane] % writer.LANE_STEPS
        assert own.tolist() == list(range(len(own))), f"lane {lane} has gaps or doubles"
        assert len(own) % writer.POINTS == 0, f"lane {lane} ends within a batch"
        assert len(own) >= said * writer.POINTS, f"lane {lane} lost {said * writer.POINTS - len(own)} points"
        kept += len(own) // writer.POINTS
    return kept


def main(rounds: int) -> None:
    """Prints a line a round and the sums."""
    chance = random.Random(7)
    sums: Counter[str] = Counter()
    begin = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="tracker-kill-") as folder,
        own_postgres(Path(folder), fsync=True) as server,
    ):
        if server is None:
            sys.exit("PostgreSQL is not installed (initdb and postgres)")
        for number in range(rounds):
            kind = KINDS[number % len(KINDS)]
            said, kept = asyncio.run(one_round(server, kind, chance))
            sums += Counter({kind: 1, "acknowledged": said, "kept": kept})
            print(f"{number + 1:4d}  {kind:18s}{said:6d} acknowledged, {kept:6d} there", flush=True)
    rest = ", ".join(f"{sums[kind]} x {kind}" for kind in KINDS)
    print(f"{rounds} rounds ({rest}) in {time.monotonic() - begin:.0f} s: {sums['acknowledged']} batches")
    print(f"acknowledged, {sums['kept']} there; 0 lost, 0 twice, 0 torn")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
