"""A process is killed while it sends a capture, and the next one sends the rest of it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import new_id
from tracker.capture import Captured, capture
from tracker.capture.sending import send
from tracker.domain.experiments.experiment import Experiment

# Sends the capture in `argv[1]`. Of the parts in which its contents go to the store, it is at the one of
# `argv[2]` that it is killed: before or after that (`argv[3]`).
SENDING = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import UUID
import tracker, tracker.blob_files
from tracker.capture import Captured
from tracker.capture.sending import send
from tracker.embedded_artifacts import BlobService
from tracker.remote_client import Client

tracker.blob_files._ROOM = 20_000
left = int(sys.argv[2])

def dying(cls, name, counts):
    method = getattr(cls, name)
    async def call(self, *given):
        global left
        if counts(*given):
            if left == 0 and sys.argv[3] == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        answer = await method(self, *given)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer
    setattr(cls, name, call)

dying(BlobService, "upload_many", lambda *_: True)
dying(Client, "post_packed", lambda path, _: path == "/blobs/bulk")

async def main():
    captured = Captured.load(Path(sys.argv[1]))
    where = dict([sys.argv[4].split("=", 1)])
    async with tracker.aopen(**where) as library:
        await send(library, UUID(sys.argv[5]), captured)
asyncio.run(main())
"""

FILES = 40


@pytest.fixture(params=["embedded", "server"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "embedded":
        return {"data": str(tmp_path / "data")}
    live: LiveServer = request.getfixturevalue("server")
    return {"url": live.url}


@pytest.fixture
def run(where: dict[str, str]) -> Iterator[Experiment]:
    with tracker.open(**where) as library:
        yield library.experiments.create(library.projects.create(f"p {new_id()}").id, name="1")


@pytest.fixture
def captured(tmp_path: Path) -> Captured:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(FILES):
        (tree / f"{number}.txt").write_text(f"{new_id()}\n" * 100)  # 3,700 bytes that no other test has
    made = capture(tree, environ={}, staging=tmp_path / "staging")
    assert len(made.files) == FILES
    return made


@pytest.mark.slow
@pytest.mark.parametrize(("part", "moment"), [(0, "before"), (0, "after"), (3, "before"), (3, "after")])
def test_the_next_process_sends_the_rest_and_takes_one_snapshot(
    where: dict[str, str], run: Experiment, captured: Captured, part: int, moment: str
) -> None:
    digests = [file.digest for file, _ in captured.files]
    ((name, place),) = where.items()
    words = [str(captured.staging), str(part), moment, f"{name}={place}", str(run.id)]
    command = [sys.executable, "-c", SENDING, *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with tracker.open(**where) as library:
        assert library.artifacts.snapshots(run.id) == ()
        left = library.artifacts.missing(digests)
    whole_parts = part + (moment == "after")
    assert len(left) == FILES - 6 * whole_parts

    async def again() -> None:
        found = Captured.load(captured.staging)
        assert found is not None
        async with tracker.aopen(**where) as library:
            await send(library, run.id, found)

    asyncio.run(again())
    with tracker.open(**where) as library:
        (snapshot,) = library.artifacts.snapshots(run.id)
        assert library.artifacts.missing(digests) == ()
        for file, source in captured.files:
            assert library.artifacts.read(file.digest) == source.read_bytes()
    assert {file.digest for file in snapshot.files} == set(digests)
