"""Whatever call at the edge of the system fails: the training goes on, and what it logged is there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.e2e.processes import ServerProcess, clean_environment

SCRIPT = Path(__file__).with_name("run_under_faults.py")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    with ServerProcess(folder) as process, process.client() as client:
        yield str(client.base_url)


def loops(
    folder: Path, kind: str, first: int, stride: int, most: int, url: str | None
) -> list[dict[str, Any]]:
    words = [str(folder), kind, str(first), str(stride), str(most), *([] if url is None else [url])]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        env=clean_environment(TRACKER_DATA=str(folder), TRACKER_SILENT="1", DATABASE_URL=f"sqlite:///{folder}/tracker.db"),
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(library: tracker.Tracker, told: dict[str, Any]) -> None:
    """The loop ran to its end, was warned at most once, and everything is there, once."""
    assert not told["raised"], told
    assert told["acknowledged"] == list(range(8)), told
    assert len(told["warned"]) <= 1, told
    assert told["lost"] == 0, told
    (project,) = library.projects.list()
    (run,) = library.experiments.list(project.id, name=told["name"])
    loss = library.scalars.read(run.id, "loss")
    assert (loss.step.tolist(), loss.value.tolist()) == (
        told["acknowledged"],
        [float(each) for each in range(8)],
    ), told
    assert len(library.scalars.read(run.id, "acc")) == 8, told


def go(folder: Path, kind: str, stride: int, most: int) -> None:
    home = folder / "server"
    with server(home) if kind == "socket" else nullcontext() as url:
        if kind == "thread":  # what dies with its thread may hold a lock for as long as the process lives
            numbers = range(1, 1 + most * stride, stride)
            found = [told for at in numbers for told in loops(folder / "data", kind, at, 1, 1, url)]
        else:
            found = loops(folder / "data", kind, 1, stride, most, url)
        assert sum(bool(told["where"]) for told in found) >= 3, found
        sync = [sys.executable, "-m", "tracker", "--data", str(folder / "data"), "sync"]
        done = subprocess.run(
            sync, env=clean_environment(), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        with tracker.open(folder / "data") if url is None else tracker.open(url=url) as library:
            for told in found:
                check(library, told)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "stride"), [("system", 23), ("sqlite", 6), ("socket", 11)])
def test_a_failing_call_never_reaches_the_training_nor_costs_a_point(
    tmp_path: Path, kind: str, stride: int
) -> None:
    go(tmp_path, kind, stride, 4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["system", "sqlite", "socket"])
def test_each_call_in_turn_may_fail(tmp_path: Path, kind: str) -> None:
    go(tmp_path, kind, 1, 250)


@pytest.mark.slow
def test_an_exception_anywhere_in_a_thread_of_ours_does_not_either(tmp_path: Path) -> None:
    go(tmp_path, "thread", 331, 20)
