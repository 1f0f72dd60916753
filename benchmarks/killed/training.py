"""A training script that logs from everywhere until it is killed; started by ``kill_log.py``.

``python training.py NAME ACKNOWLEDGED SEED [--finish SECONDS]``; where to log is in the environment.
After each `log()` that returned it writes one record to ACKNOWLEDGED, with one write: the record is
never ahead of the log. What each lane logs at each step follows from their names, so that whoever
looks afterwards knows every bit of it.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import multiprocessing
import os
import random
import struct
import sys
import threading
import time
import warnings
from pathlib import Path

import tracker
from tracker.journal.segment import SegmentWriter
from tracker.run import start

LANES = ("main", "thread0", "thread1", *(f"fork{number}" for number in range(12)), "spawn")
RECORD = struct.Struct("<Bq")
WIDTH = 3


def value(lane: str, step: int, index: int) -> float:
    """A number of any 64 bits."""
    (number,) = struct.unpack(
        "<d", hashlib.blake2b(f"{lane} {step} {index}".encode(), digest_size=8).digest()
    )
    return number if number == number else math.nan  # noqa: PLR0124 - one NaN is enough


def values(lane: str, step: int) -> dict[str, object]:
    """What a lane logs at a step: one to three values, of which every fifth row is nested."""
    row = {f"m{index}": value(lane, step, index) for index in range(1 + step % WIDTH)}
    return {lane: row} if step % 5 == 0 else {f"{lane}.{name}": number for name, number in row.items()}


def steps_of(index: int, steps: set[int]) -> set[int]:
    """Those of `steps` at which there is an ``m<index>``."""
    return {step for step in steps if step % WIDTH >= index}


def segments_of(size: int) -> None:
    """Has segments closed at this size, in this process and those it forks."""
    defaults = SegmentWriter.__init__.__kwdefaults__
    assert defaults is not None
    assert "largest" in defaults
    defaults["largest"] = size


def log(run: tracker.Run, lane: str, acknowledged: int, seed: int, count: int = 10**9) -> None:
    """Logs in bursts and with pauses; acknowledges what is in the journal."""
    chance = random.Random(f"{seed} {lane}")
    number = LANES.index(lane)
    for step in range(count):
        run.log(values(lane, step), step=step)
        # A finished run takes no more, and says so; on a full disk it waits in memory, which no kill spares.
        if run.is_open and not run._writer._refused:
            os.write(acknowledged, RECORD.pack(number, step))
        if chance.random() < 0.05:
            time.sleep(chance.expovariate(200))


def spawned(run: tracker.Run, path: str, seed: int) -> None:
    """The spawned child."""
    warnings.simplefilter("ignore")
    log(run, "spawn", os.open(path, os.O_WRONLY | os.O_APPEND), seed)


def forked(run: tracker.Run, lane: str, acknowledged: int, seed: int) -> None:
    """Forks a child that logs for a while, or until it is killed."""
    if os.fork():
        return
    try:
        chance = random.Random(f"{seed} {lane} life")
        log(run, lane, acknowledged, seed, chance.choice((50, 2000, 10**9)))
    finally:
        os._exit(0)


def main() -> None:
    """Starts a run and its lanes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("acknowledged")
    parser.add_argument("seed", type=int)
    parser.add_argument("--finish", type=float)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    # A server that says nothing is not waited for; a folder may be slow beside other programs.
    start.START_SECONDS = 1.0 if "TRACKER_URL" in os.environ else 60.0
    segments_of(chance.choice((2_000, 20_000, 16 * 2**20)))
    acknowledged = os.open(given.acknowledged, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    run = tracker.init("killed", given.name)
    Path(given.acknowledged + ".started").touch()
    for lane in ("thread0", "thread1"):
        threading.Thread(target=log, args=(run, lane, acknowledged, given.seed), daemon=True).start()
    if chance.random() < 0.5:
        arguments = (run, given.acknowledged, given.seed)
        multiprocessing.get_context("spawn").Process(target=spawned, args=arguments, daemon=True).start()
    main_lane = threading.Thread(target=log, args=(run, "main", acknowledged, given.seed), daemon=True)
    main_lane.start()
    end = time.monotonic() + (given.finish or 10**6)
    forks = iter(LANES[3:-1])
    while time.monotonic() < end:
        if chance.random() < 0.5 and (lane := next(forks, None)):
            forked(run, lane, acknowledged, given.seed)
        time.sleep(min(0.1, max(0.0, end - time.monotonic())))
    run.finish(timeout=5)


if __name__ == "__main__":
    sys.exit(main())
