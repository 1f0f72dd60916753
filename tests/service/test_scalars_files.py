"""The embedded store when its folder, its disk or its neighbours misbehave."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from tracker.adapters.scalars.chunks import codec
from tracker.adapters.scalars.embedded import EmbeddedScalarStore, folding
from tracker.adapters.scalars.embedded.file_lock import FileLock
from tracker.adapters.scalars.embedded.network_folders import file_system, refuse_network_folder
from tracker.adapters.scalars.embedded.project_file import ProjectFile
from tracker.domain.errors import Unavailable
from tracker.domain.ids import BatchId, ExperimentId, ProjectId
from tracker.domain.scalars.batch import ScalarBatch

PROJECT = ProjectId(UUID(int=5))
RUN = ExperimentId(UUID(int=7))
ROOT = Path(__file__).parents[2]
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /srv rw,relatime shared:2 master:1 - nfs4 server:/srv rw,vers=4.2
41 40 8:2 / /srv/me/fast\\040disk rw - xfs /dev/sdb1 rw
42 22 0:40 / /home2 rw - fuse.sshfs me@host:/ rw
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedScalarStore]:
    opened = EmbeddedScalarStore(tmp_path, synchronous="normal")
    yield opened
    await opened.close()


def batch(step: int, size: int = 1) -> ScalarBatch:
    steps = np.arange(step, step + size)
    return ScalarBatch(
        id=BatchId(uuid4()),
        experiment_id=RUN,
        names=("loss",),
        series=np.zeros(size, np.int64),
        step=steps,
        time=steps * 1000,
        value=np.sqrt(steps),
    )


async def test_cancelled_batches_do_not_stop_those_behind_them(
    tmp_path: Path, store: EmbeddedScalarStore
) -> None:
    await store.append(PROJECT, batch(0))
    other = FileLock(tmp_path / f"{PROJECT}.db.lock")
    with other.held():
        first = asyncio.create_task(store.append(PROJECT, batch(1)))
        await asyncio.sleep(0.2)  # the writing thread now waits for the lock with this one batch
        cancelled = [asyncio.create_task(store.append(PROJECT, batch(n))) for n in range(100, 2200)]
        last = asyncio.create_task(store.append(PROJECT, batch(2)))
        await asyncio.sleep(0)
        for task in cancelled:
            task.cancel()
        await asyncio.wait(cancelled)
    other.close()
    await asyncio.wait_for(asyncio.gather(first, last), 10)
    assert (await store.read(PROJECT, RUN, "loss")).step.tolist() == [0, 1, 2]


async def test_slow_projects_hold_up_no_other(tmp_path: Path, store: EmbeddedScalarStore) -> None:
    slow = [ProjectId(UUID(int=n)) for n in range(100, 120)]
    for project in slow:
        await store.append(project, batch(0))
    locks = [FileLock(tmp_path / f"{project}.db.lock") for project in slow]
    with ExitStack() as held:
        for lock in locks:
            held.enter_context(lock.held())
        waiting = [asyncio.create_task(store.append(project, batch(1))) for project in slow]
        await asyncio.sleep(0.1)
        await asyncio.wait_for(store.append(PROJECT, batch(0)), 10)
        assert len(await asyncio.wait_for(store.read(PROJECT, RUN, "loss"), 10)) == 1
        assert not any(task.done() for task in waiting)
    for lock in locks:
        lock.close()
    await asyncio.wait_for(asyncio.gather(*waiting), 20)


async def test_tail_that_cannot_be_folded_does_not_stop_the_appends(
    tmp_path: Path, store: EmbeddedScalarStore
) -> None:
    await store.append(PROJECT, batch(0))
    file = ProjectFile(tmp_path / f"{PROJECT}.db", "normal")
    with file.writing() as writer:
        writer.connection.execute("UPDATE tail SET points=CAST('no piece' AS BLOB)")
    file.close()
    for n in range(3):
        await asyncio.wait_for(store.append(PROJECT, batch(1000 * n + 1, 1000)), 10)
    with pytest.raises(Unavailable, match="damaged"):
        await store.summary(PROJECT)
    (fault,) = await store.verify(PROJECT)
    assert fault.experiment_id == RUN and "tail cannot be read" in fault.problem


@pytest.mark.parametrize("name", ["notes", "{00000000-0000-0000-0000-000000000003}"])
async def test_maintenance_passes_over_files_of_others(
    tmp_path: Path, store: EmbeddedScalarStore, name: str
) -> None:
    (tmp_path / f"{name}.db").write_bytes(b"not ours")
    await store.append(PROJECT, batch(0))
    await store.maintain(5.0)
    assert (tmp_path / f"{name}.db").read_bytes() == b"not ours"
    assert folded(tmp_path, PROJECT)


async def test_damaged_file_is_named_after_the_others_had_their_turn(
    tmp_path: Path, store: EmbeddedScalarStore
) -> None:
    before, damaged, after = (ProjectId(UUID(int=n)) for n in (1, 2, 3))
    for project in (before, after):
        await store.append(project, batch(0))
    (tmp_path / f"{damaged}.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(Unavailable, match=str(damaged)):
        await store.maintain(5.0)
    assert folded(tmp_path, before) and folded(tmp_path, after)


def folded(folder: Path, project: ProjectId) -> bool:
    file = ProjectFile(folder / f"{project}.db", "normal")
    with file.reading() as connection:
        assert connection is not None
        rows = connection.execute("SELECT (SELECT count(*) FROM tail), (SELECT count(*) FROM chunk)")
        found = rows.fetchone()
    file.close()
    return found == (0, 1)


async def test_reader_that_races_a_project_delete_leaves_no_file_behind(
    tmp_path: Path, store: EmbeddedScalarStore
) -> None:
    path = tmp_path / f"{PROJECT}.db"
    await store.append(PROJECT, batch(0))
    await store.close()
    reader, deleter = ProjectFile(path, "normal"), ProjectFile(path, "normal")
    seen: list[bool] = []

    def read() -> None:
        with reader.reading() as connection:
            seen.append(connection is not None)

    thread = threading.Thread(target=read)
    with deleter.lock.held():
        thread.start()
        time.sleep(0.2)  # the reader has seen the file and waits for the lock
        deleter.delete()
    thread.join(10)
    reader.close()
    deleter.close()
    assert seen == [False]
    assert [left.name for left in tmp_path.iterdir()] == [f"{PROJECT}.db.lock"]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/data", "ext4"),
        ("/srv/me/data", "nfs4"),
        ("/srv/me/fast disk/data", "xfs"),
        ("/home2/data", "fuse.sshfs"),
        ("/home22", "ext4"),
    ],
)
def test_file_system_is_that_of_the_deepest_mount(tmp_path: Path, folder: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system(Path(folder), mounts) == kind
    if kind in {"nfs4", "fuse.sshfs"}:
        with pytest.raises(Unavailable, match=f"network file system .{kind}"):
            refuse_network_folder(Path(folder), mounts)
    else:
        refuse_network_folder(Path(folder), mounts)


def test_folder_is_accepted_where_the_system_does_not_tell(tmp_path: Path) -> None:
    refuse_network_folder(tmp_path, tmp_path / "no mountinfo")


async def test_series_is_whole_when_chunks_are_of_both_codecs(
    tmp_path: Path, store: EmbeddedScalarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(PROJECT, batch(0, 20_000))
    with monkeypatch.context() as without:
        without.setattr(codec, "standalone", None)  # a platform that has no pcodec
        elsewhere = ProjectId(UUID(int=6))
        await store.append(elsewhere, batch(0, 20_000))
        assert (await store.read(elsewhere, RUN, "loss")).value.tobytes() == batch(0, 20_000).value.tobytes()
        with pytest.raises(Unavailable, match="codec 1, which is not installed"):
            await store.read(PROJECT, RUN, "loss")
    await store.append(elsewhere, batch(20_000, 20_000))
    assert (await store.read(elsewhere, RUN, "loss")).value.tobytes() == batch(0, 40_000).value.tobytes()


def test_full_disk_refuses_appends_folds_and_maintenance_and_harms_nothing(tmp_path: Path) -> None:
    script = Path(__file__).parent / "scalars_full_disk.py"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["refused", "intact", "grown", "kept", "kept-up"]
    shutil.rmtree(tmp_path)


async def test_a_tail_is_read_the_same_in_one_value_and_row_by_row(
    store: EmbeddedScalarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (300, 0, 50, 100, 200):
        await store.append(PROJECT, batch(step, size=100).evolve(value=np.full(100, step / 10)))
    at_once = await store.read(PROJECT, RUN, "loss")
    assert at_once.value[at_once.step == 50].tolist() == [0.0, 5.0]  # in the order in which they came
    monkeypatch.setattr(folding, "_MOST_AT_A_STEP", 0)
    by_row = await store.read(PROJECT, RUN, "loss")
    assert by_row.step.tolist() == at_once.step.tolist()
    assert by_row.value.tobytes() == at_once.value.tobytes()


_FORKING = """
import asyncio, os, sys
from pathlib import Path
from uuid import UUID
from tracker.adapters.scalars.embedded import EmbeddedScalarStore

async def length():
    store = EmbeddedScalarStore(Path(sys.argv[1]))
    found = await store.read(UUID(sys.argv[2]), UUID(sys.argv[3]), "loss")
    await store.close()
    return len(found.value)

parent = asyncio.run(length())
child = os.fork()
if child == 0:
    os._exit(0 if asyncio.run(length()) == parent else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


async def test_a_forked_process_reads_long_series_with_a_store_of_its_own(
    store: EmbeddedScalarStore, tmp_path: Path
) -> None:
    await store.append(PROJECT, batch(0, size=200_000))
    await store.close()
    command = [sys.executable, "-W", "ignore", "-c", _FORKING, str(tmp_path), str(PROJECT), str(RUN)]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, timeout=60)
    assert done.returncode == 0
