"""Kills training scripts with SIGKILL at random moments, and looks whether what they logged is there.

Run: ``python benchmarks/kill_log.py [--rounds 1000] [--only "full disk"]``. In each round a script logs
from its main thread, two more, forked children and perhaps a spawned one, with segments that are
closed often; it, or a child, or all are killed, while its folder's disk fills up, its clock is set
back, or its server is killed, unreachable, silent, answering 500, cut off, or lets it in no more. Then
all is well again and what was left behind is carried. Each value whose `log()` returned must be there,
once and to the bit; no run may be there twice; and a script that was not killed must have reached its
end.

Not tried: a power cut. What a write holds then is up to the file system.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # not this folder, whose http.py hides the library's http

import tracker  # noqa: E402
from benchmarks.killed import training  # noqa: E402
from benchmarks.killed.worlds import WORLDS, World, environment  # noqa: E402

SCRIPT = ROOT / "benchmarks" / "killed" / "training.py"
ROUNDS_A_FOLDER = 3
# What Python says of a child whose parent was killed while it was spawned.
ORPHAN = re.compile(
    r"^Traceback [^\n]*\n(?:  [^\n]*\n)+(?:EOFError: Ran out of input|BrokenPipeError[^\n]*)\n", re.MULTILINE
)
PROCESSES = len(training.LANES) - 2  # each of which may warn of a full disk once
BAD = (
    "lost",
    "twice",
    "wrong",
    "runs twice",
    "runs missing",
    "scripts failed",
    "warned often",
    "left behind",
)


@dataclass
class Round:
    """One script's life.

    Attributes:
        name: its run's.
        acknowledged: steps by lane whose `log()` returned.
        said: what it printed.
        failed: whether it began and ended otherwise than by a kill or at its end.
    """

    name: str
    acknowledged: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    said: str = ""
    failed: bool = False


def members(group: int) -> list[int]:
    """The processes of a group."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                found.append(int(folder.name))
    return found


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def live(world: World, number: int, chance: random.Random, longest: float) -> Round:
    """Starts a script, troubles it for at most `longest` seconds, and kills it; what it acknowledged."""
    this = Round(f"round {number}")
    path, said = world.folder / f"acknowledged{number}", world.folder / f"said{number}"
    seconds, ends = chance.uniform(0.02, longest), chance.random() < 0.15
    command = [sys.executable, str(SCRIPT), this.name, str(path), str(chance.randrange(10**9))]
    if ends:
        command.append(f"--finish={seconds}")
    with said.open("w") as out:
        script = subprocess.Popen(
            command, env=environment(**world.variables()), stdout=out, stderr=out, start_new_session=True
        )
    was_started = wait_for_start(Path(f"{path}.started"), script, chance)
    trouble(world, script, seconds, chance)
    if ends and was_started:
        with suppress(subprocess.TimeoutExpired):
            script.wait(chance.choice((0.01, 60)))
    elif script.poll() is not None and was_started:
        this.failed = True
    kill(script.pid)
    if chance.random() < 0.5:  # children outlive it for a while
        time.sleep(chance.uniform(0, 0.4))
    for pid in members(script.pid):
        kill(pid)
    if script.wait(60) not in (0, -signal.SIGKILL) and was_started:
        this.failed = True
    while members(script.pid):
        time.sleep(0.01)
    this.said = said.read_text()
    said = ORPHAN.sub("", this.said)
    this.failed |= was_started and "Traceback" in said  # one that cannot start may say so
    if path.exists():
        data = path.read_bytes()
        for lane, step in training.RECORD.iter_unpack(data[: len(data) // 9 * 9]):
            this.acknowledged[training.LANES[lane]].add(step)
    return this


def wait_for_start(started: Path, script: subprocess.Popen[bytes], chance: random.Random) -> bool:
    """Whether the run has begun; some are given no time to."""
    patience = chance.uniform(0, 1.0) if chance.random() < 0.1 else 60.0
    end = time.monotonic() + patience
    while not started.exists() and script.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    return started.exists()


def trouble(world: World, script: subprocess.Popen[bytes], seconds: float, chance: random.Random) -> None:
    """Has things happen to a script for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and script.poll() is None:
        time.sleep(min(chance.uniform(0.02, 0.4), max(0.0, end - time.monotonic())))
        world.disturb()
        children = [pid for pid in members(script.pid) if pid != script.pid]
        if children and chance.random() < 0.15:
            kill(chance.choice(children))


def look(library: tracker.Tracker, this: Round, found: Counter[str]) -> None:
    """Counts what is wrong with a round's run, and what was looked at."""
    projects = [project for project in library.projects.list() if project.name == "killed"]
    runs = [run for project in projects for run in library.experiments.list(project.id, name=this.name)]
    found["runs twice"] += len(runs) > 1
    if not runs:
        found["runs missing"] += bool(this.acknowledged)
        return
    names = {row.name for row in library.scalars.summary(runs[0].project_id, [runs[0].id])}
    for lane in training.LANES:
        acknowledged = this.acknowledged[lane]
        found["calls acknowledged"] += len(acknowledged)
        for index in range(training.WIDTH):
            name = f"{lane}.m{index}"
            wanted = training.steps_of(index, acknowledged)
            if name not in names:
                found["lost"] += len(wanted)
                continue
            series = library.scalars.read(runs[0].id, name)
            steps = series.step.tolist()
            expected = np.array([training.value(lane, step, index) for step in steps])
            found["values"] += len(steps)
            found["lost"] += len(wanted.difference(steps))
            found["twice"] += len(steps) - len(set(steps))
            same = (series.value.view(np.int64) == expected.view(np.int64)) | (
                np.isnan(series.value) & np.isnan(expected)
            )
            found["wrong"] += int(np.count_nonzero(~same))


def look_at_all(world: World, rounds: list[Round]) -> Counter[str]:
    """Counts what is wrong with the runs of a folder."""
    found: Counter[str] = Counter()
    with world.open() as library:
        for this in rounds:
            look(library, this, found)
    found["scripts failed"] = sum(this.failed for this in rounds)
    found["warned often"] = sum(this.said.count("takes nothing now") > PROCESSES for this in rounds)
    left = [*world.data.glob("journal/*/*.open"), *world.data.glob("journal/*/*.seg")]
    found["left behind"] = sum(path.stat().st_size > 0 for path in left)
    if any(found[what] for what in BAD):
        show(world, rounds, found)
    return found


@contextmanager
def opened(kind: type[World], chance: random.Random, keep: bool) -> Iterator[World]:
    """A world in a new folder."""
    place = tempfile.mkdtemp(prefix="kill_log")
    world = kind(Path(place), chance)
    try:
        yield world
    finally:
        world.close()
        if not keep:
            subprocess.run(["rm", "-rf", place], check=False)


def folder_of_rounds(
    kind: type[World], first: int, count: int, chance: random.Random, *, keep: bool, longest: float
) -> Counter[str]:
    """A few scripts one after the other in one folder, and what is found of them."""
    found: Counter[str] = Counter()
    with opened(kind, chance, keep) as world:
        rounds = []
        for number in range(first, first + count):
            rounds.append(live(world, number, chance, longest))
            is_last = number == first + count - 1
            if is_last or chance.random() < 0.5:  # else the next script finds what this one left
                world.heal()
                if kind.kind != "folder" or chance.random() < 0.5:  # opening a folder does it, too
                    world.sync()
                found |= look_at_all(world, rounds)  # the worst that was found of them, at any time
    found[f"rounds, {kind.kind}"] = count
    return found


def show(world: World, rounds: list[Round], found: Counter[str]) -> None:
    """Says what is wrong, and where to look."""
    print(f"{world.kind} in {world.folder}: {dict(found)}", file=sys.stderr, flush=True)
    for this in rounds:
        print(f"  {this.name}: {this.said[-1500:]}", file=sys.stderr, flush=True)


def kill_rounds(
    count: int, seed: int, only: str | None = None, *, keep: bool = False, longest: float = 2.5
) -> Counter[str]:
    """Rounds in all worlds by turns, or in one kind."""
    chance = random.Random(seed)
    kinds = [kind for kind in WORLDS if only in (None, kind.kind)]
    found: Counter[str] = Counter()
    for turn, first in enumerate(range(0, count, ROUNDS_A_FOLDER)):
        kind = kinds[turn % len(kinds)]
        try:
            found += folder_of_rounds(
                kind, first, min(ROUNDS_A_FOLDER, count - first), chance, keep=keep, longest=longest
            )
        except NotImplementedError as why:
            found[f"not tried, {kind.kind}: {why}"] += 1
    return found


def main() -> None:
    """Runs all rounds, prints what was found, and fails when anything is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted({kind.kind for kind in WORLDS}))
    parser.add_argument("--keep", action="store_true", help="leave the folders")
    parser.add_argument("--longest", type=float, default=2.5, help="seconds that a script may live")
    given = parser.parse_args()
    found = kill_rounds(given.rounds, given.seed, given.only, keep=given.keep, longest=given.longest)
    for what in (*sorted(found.keys() - set(BAD)), *BAD):
        print(f"{what:<40}{found[what]:>10}")
    sys.exit(any(found[what] for what in BAD))


if __name__ == "__main__":
    main()
