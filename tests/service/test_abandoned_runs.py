"""Runs whose processes really went away, and what the next one that opens the folder says of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.factories import new_id
from tracker.adapters.system.processes import fate, owner
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.fate import Life

WHO = """
import json, sys, time
from tracker.adapters.system.processes import owner
print(json.dumps(owner()), flush=True)
"""
HUNGRY = """
kept = []
while True:
    kept.append(bytearray(b"x") * (8 << 20))
"""


@contextmanager
def living(then: str = "time.sleep(600)", before: Callable[[], None] | None = None) -> Iterator[Any]:
    """A process, and who it says it is."""
    with subprocess.Popen(
        [sys.executable, "-c", WHO + then],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=before,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def killed_owner() -> dict[str, Any]:
    with living() as (process, who):
        process.kill()
        process.wait()
        return dict(who)


def test_this_process_is_alive_and_one_of_its_number_before_is_not() -> None:
    me = owner()
    assert fate(me).life is Life.ALIVE
    assert fate(json.loads(json.dumps(me))).life is Life.ALIVE
    before = fate({**me, "started": me["started"] - 1})
    assert (before.life, before.kind) == (Life.GONE, "killed")


def test_what_cannot_be_seen_from_here_is_not_known() -> None:
    me = owner()
    assert fate({**me, "host": "elsewhere"}) == (Life.UNKNOWN, None, "it runs on elsewhere")
    assert fate({**me, "machine": "another"}).life is Life.UNKNOWN
    assert fate({**me, "namespace": 1}).life is Life.UNKNOWN
    for broken in ({}, {"host": me["host"]}, {**me, "pid": True}, {**me, "pid": "1"}, {**me, "pid": -1}):
        assert fate(broken).life is Life.UNKNOWN


def test_a_machine_that_restarted_took_its_runs_with_it() -> None:
    found = fate({**owner(), "boot": "another"})
    assert (found.life, found.kind) == (Life.GONE, "lost")
    assert "the machine" in found.reason
    assert "restarted" in found.reason


def test_where_the_kernel_counted_a_kill_memory_had_run_out(tmp_path: Path) -> None:
    counter = tmp_path / "memory.events"
    counter.write_text("oom 3\noom_kill 5\n")
    gone = {**owner(), "started": -1, "namespace": None, "oom_file": str(counter)}
    assert fate({**gone, "oom_kills": 4}).kind == "out_of_memory"
    assert fate({**gone, "oom_kills": 5}).kind == "killed"
    assert fate({**gone, "oom_kills": None}).kind == "killed"
    counter.unlink()
    assert fate({**gone, "oom_kills": 4}).kind == "killed"


@pytest.mark.slow
def test_a_process_that_was_killed_is_gone_and_so_is_one_that_nobody_waits_for() -> None:
    with living() as (process, who):
        assert fate(who).life is Life.ALIVE
        process.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 30
        while fate(who).life is Life.ALIVE and time.monotonic() < deadline:
            time.sleep(0.01)
        assert fate(who).kind == "killed"  # a zombie, since it was not waited for
        process.wait()
        found = fate(who)
    assert (found.life, found.kind) == (Life.GONE, "killed")
    assert f"process {who['pid']}" in found.reason


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group that holds 64 MB, where this machine lets one be made."""
    root, name = Path("/sys/fs/cgroup"), f"tracker-test-{os.getpid()}"
    is_first = (root / "memory").is_dir()
    place = root / "memory" / name if is_first else root / name
    try:
        place.mkdir()
    except OSError:
        pytest.skip("control groups cannot be made here")
    try:
        limit = "memory.limit_in_bytes" if is_first else "memory.max"
        (place / limit).write_text(str(64 << 20))
        for swap in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
            if (place / swap).exists():
                (place / swap).write_text("0" if swap == "memory.swap.max" else str(64 << 20))
        yield place
    except OSError:
        pytest.skip("control groups cannot hold memory here")
    finally:
        place.rmdir()


@pytest.mark.slow
def test_a_process_that_the_kernel_killed_for_lack_of_memory_is_said_to_have_been(group: Path) -> None:
    def enter() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))

    with living(HUNGRY, enter) as (process, who):
        assert process.wait(60) == -signal.SIGKILL
        found = fate(who)
        assert found.kind == "out_of_memory", found
        assert "lack of memory" in found.reason
        quiet = fate({**who, "namespace": None})  # as inside a container: by the counter alone
        assert quiet.kind == "out_of_memory", quiet


def recorded(folder: Path, run: Experiment, who: object, **fields: object) -> Path:
    """What a run says of itself in the data folder."""
    place = folder / "journal" / new_id().hex
    place.mkdir(parents=True)
    told = {
        "key": place.name,
        "project": "digits",
        "experiment_id": str(run.id),
        "owner": who,
        "ended": False,
        **fields,
    }
    (place / "run.json").write_text(json.dumps(told))
    return place


def a_run(library: tracker.Tracker, **fields: Any) -> Experiment:
    project = library.projects.create("digits", exist_ok=True)
    return library.experiments.create(project.id, name="a", **{"status": "running", **fields})


def gone() -> dict[str, Any]:
    """Somebody who was this process before it began."""
    return {**owner(), "started": -1, "namespace": None, "oom_file": None}


def test_the_next_one_who_opens_the_folder_marks_the_runs_of_dead_processes(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as library:
        dead, rebooted, alive, away = (a_run(library) for _ in range(4))
        recorded(tmp_path, dead, gone())
        recorded(tmp_path, rebooted, {**owner(), "boot": "another"})
        recorded(tmp_path, alive, owner())
        recorded(tmp_path, away, {**gone(), "host": "elsewhere"})
    for _ in range(2):  # the second time there is nothing to do
        with tracker.open(tmp_path) as library:
            found = [library.experiments.get(run.id) for run in (dead, rebooted, alive, away)]
        assert [(run.status, run.end_kind) for run in found] == [
            ("failed", "killed"), ("failed", "lost"), ("running", None), ("running", None),
        ]  # fmt: skip
        assert [run.version for run in found] == [1, 1, 0, 0]
    assert "gone without a word" in (found[0].end_reason or "")


def test_a_run_that_ended_or_was_deleted_or_is_not_known_yet_stays_as_it_is(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as library:
        complete, ended, deleted = a_run(library, status="complete"), a_run(library), a_run(library)
        recorded(tmp_path, complete, gone())
        recorded(tmp_path, ended, gone(), ended=True)
        recorded(tmp_path, deleted, gone())
        recorded(tmp_path, ended, None)
        (tmp_path / "journal" / "file").touch()
        for text in ("", "[]", '{"owner": ', '{"owner": {}}'):
            recorded(tmp_path, ended, None).joinpath("run.json").write_text(text)
        library.experiments.delete(deleted.id)
    with tracker.open(tmp_path) as library:
        assert library.experiments.get(complete.id).end_kind is None
        assert library.experiments.get(ended.id).status == "running"


def test_what_is_known_here_is_better_than_that_it_was_lost(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as library:
        runs = [
            a_run(library, status="failed", end_kind=kind, end_reason="before")
            for kind in ("lost", "exception")
        ]
        for run in runs:
            recorded(tmp_path, run, gone())
    with tracker.open(tmp_path) as library:
        found = [library.experiments.get(run.id).end_kind for run in runs]
    assert found == ["killed", "exception"]


@pytest.mark.slow
def test_a_run_that_was_really_killed_is_found_dead(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as library:
        run = a_run(library)
        recorded(tmp_path, run, killed_owner())
    with tracker.open(tmp_path) as library:
        assert library.experiments.get(run.id).end_kind == "killed"
