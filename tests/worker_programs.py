"""Programs that a worker runs in place of a job, so that runners can be tested without one.

What one is to do is in its errand's handle: a verb, a folder, and something random.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from tracker.adapters.runners.handover import Handover, WorkerConfig
from tracker.domain.evaluation.jobs.deciding import Report, Sighting
from tracker.domain.evaluation.jobs.errand import Errand
from tracker.domain.evaluation.jobs.job import JobKind
from tracker.domain.ids import JobId
from tracker.ports.evaluation.runner import JobRunner
from tracker.worker.endings import Ended, Ending

__all__ = ["began", "errand", "naming", "play", "until", "until_there"]

_SLEEP = "import time; time.sleep(600)"
_ORPHAN = f"""
import os, subprocess, sys
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, "-c", {_SLEEP!r}, sys.argv[1]])
"""


def errand(verb: str, folder: Path, *, job: JobId | None = None, attempt: int = 1, **more: object) -> Errand:
    """An errand whose worker does this."""
    return Errand(
        job_id=job or JobId(uuid.uuid4()),
        attempt=attempt,
        kind=JobKind.INFERENCE,
        handle=f"{verb} {folder} {uuid.uuid4().hex}{uuid.uuid4().hex}",
        **more,
    )


async def until(runner: JobRunner, which: Errand, *wanted: Sighting, tries: int = 900) -> Report:
    report = Report(Sighting.UNKNOWN)
    for _ in range(tries):
        report = await runner.sight(which.job_id, which.attempt)
        if report.sighting in wanted:
            return report
        await asyncio.sleep(0.05)
    raise AssertionError(f"{report}\n{await runner.logs(which.job_id, which.attempt)}")


async def until_there(path: Path) -> None:
    for _ in range(900):
        if path.exists():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} did not come")


def began(folder: Path) -> list[str]:
    """Attempts, in the order in which they began."""
    path = folder / "began"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def naming(text: str) -> set[int]:
    """Processes that name it in their command."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and text.encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found - {os.getpid()}


def play(config: WorkerConfig, handover: Handover) -> Ending:
    """Does what the handle says."""
    verb, folder, _ = config.errand.handle.split(" ")
    with (Path(folder) / "began").open("a") as began:
        began.write(f"{config.errand.job_id}.{config.errand.attempt} {os.getpid()}\n")
    print("the program began", flush=True)
    told = _ACTS[verb](Path(folder), handover)
    return told or Ending(Ended.FINISHED)


def _until(path: Path) -> None:
    while not path.exists():
        time.sleep(0.02)


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(4 * 2**20))


def _eat_in_children() -> None:
    program = "import time; eaten = bytearray(b'x' * (48 * 2**20)); time.sleep(600)"
    for _ in range(6):
        subprocess.Popen([sys.executable, "-c", program])
    time.sleep(600)


def _family(folder: Path) -> None:
    """A child, one in a session of its own, and one that has lost its parent besides."""
    subprocess.Popen([sys.executable, "-c", _SLEEP, str(folder)])
    subprocess.Popen([sys.executable, "-c", _SLEEP, str(folder)], start_new_session=True)
    subprocess.run([sys.executable, "-c", _ORPHAN, str(folder)], check=True)
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
    (folder / "family").touch()
    time.sleep(600)


def _child(folder: Path) -> None:
    subprocess.Popen([sys.executable, "-c", _SLEEP, str(folder)])
    (folder / "family").touch()
    time.sleep(600)


def _fork(folder: Path) -> None:
    if os.fork() == 0:
        os.setsid()
        draft = folder / "draft"
        draft.write_text(str(os.getpid()))
        draft.rename(folder / "family")
    time.sleep(600)


def _handed(folder: Path, handover: Handover) -> None:
    (folder / "handover").write_text(repr((dict(handover.settings), os.environ.get("A_KEY"))))


def _break(*_: object) -> None:
    raise RuntimeError("a bug\nwith more lines")


def _loud(*_: object) -> None:
    for number in range(200_000):
        print(f"line {number} of what it prints, which is much more than anybody would read")


def _litter(folder: Path) -> None:
    with tempfile.NamedTemporaryFile(prefix="rows") as file:
        program = "import tempfile; print(tempfile.mkdtemp())"
        made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        draft = folder / "draft"
        draft.write_text(f"{file.name}\n{made.stdout}")
        draft.rename(folder / "litter")
        _until(folder / "go")


_ACTS: dict[str, Callable[[Path, Handover], Ending | None]] = {
    "finish": lambda *_: None,
    "refuse": lambda *_: Ending(Ended.REFUSED, "the key was refused: “401”"),
    "break": _break,
    "exit": lambda *_: os._exit(7),
    "die": lambda *_: os.kill(os.getpid(), signal.SIGKILL),
    "loud": _loud,
    "eat": lambda *_: _eat(),
    "spread": lambda *_: _eat_in_children(),
    "family": lambda folder, _: _family(folder),
    "child": lambda folder, _: _child(folder),
    "fork": lambda folder, _: _fork(folder),
    "handover": _handed,
    "litter": lambda folder, _: _litter(folder),
    "until": lambda folder, _: _until(folder / "go"),
    "sleep": lambda *_: time.sleep(600),
}
