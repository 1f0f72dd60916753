"""A capture gets into the library whole and once, in process and against a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.dirty_repositories import git
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import new_id
from tracker.capture import Captured, capture
from tracker.capture.sending import send
from tracker.domain.artifacts.snapshot import Snapshot
from tracker.domain.errors import Invalid, NotFound
from tracker.domain.ids import ExperimentId

Where = dict[str, str]


@pytest.fixture(params=["embedded", "server"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    if request.param == "embedded":
        return {"data": str(tmp_path / "data")}
    live: LiveServer = request.getfixturevalue("server")
    return {"url": live.url}


@pytest.fixture
def library(where: Where) -> Iterator[tracker.Tracker]:
    with tracker.open(**where) as opened:
        yield opened


@pytest.fixture
def experiment(library: tracker.Tracker) -> ExperimentId:
    return library.experiments.create(library.projects.create(f"project {new_id()}").id, name="1").id


@pytest.fixture
def captured(tmp_path: Path) -> Captured:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(30):
        (tree / f"{number}.py").write_text(f"{number}\n" * 3)
    (tree / "unique.txt").write_text(str(new_id()))  # the server of these tests knows the others
    (tree / "copy.py").write_text("0\n" * 3)
    (tree / "new\nline").write_text("")
    (tree / "link").symlink_to("0.py")
    git(tree, "init", "-q")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "first")
    (tree / "0.py").write_text("changed\n")
    return capture(tree, environ={}, staging=tmp_path / "staging")


def sending(where: Where, experiment: ExperimentId, captured: Captured) -> Snapshot:
    async def run() -> Snapshot:
        async with tracker.aopen(**where) as library:
            return await send(library, experiment, captured)

    return asyncio.run(run())


def test_a_capture_is_sent_once_however_often(
    library: tracker.Tracker, where: Where, experiment: ExperimentId, captured: Captured
) -> None:
    first = sending(where, experiment, captured)
    assert sending(where, experiment, captured) == first
    again = Captured.load(captured.staging)
    assert again is not None
    assert sending(where, experiment, again) == first
    (snapshot,) = library.artifacts.snapshots(experiment)
    assert {(file.path, file.digest) for file in snapshot.files} == {
        (file.path, file.digest) for file, _ in captured.files
    }
    assert snapshot.environment["packages"]["pydantic"]
    assert library.experiments.get(experiment).git_diff == captured.diff
    assert not library.artifacts.missing([file.digest for file in snapshot.files])


def test_what_was_interrupted_goes_on(
    library: tracker.Tracker, where: Where, experiment: ExperimentId, captured: Captured
) -> None:
    lost = next(source for file, source in captured.files if file.path == "unique.txt")
    hidden = lost.with_name("hidden")
    lost.rename(hidden)
    with pytest.raises(Invalid, match="cannot be read"):
        sending(where, experiment, captured)
    assert library.artifacts.snapshots(experiment) == ()
    hidden.rename(lost)
    sending(where, experiment, captured)
    assert len(library.artifacts.snapshots(experiment)) == 1


def test_another_tree_of_the_same_run_is_another_snapshot(
    library: tracker.Tracker, where: Where, experiment: ExperimentId, captured: Captured, tmp_path: Path
) -> None:
    sending(where, experiment, captured)
    (tmp_path / "tree" / "0.py").write_text("changed again\n")
    sending(where, experiment, capture(tmp_path / "tree", environ={}, staging=tmp_path / "second"))
    assert len(library.artifacts.snapshots(experiment)) == 2


def test_a_capture_for_an_experiment_that_is_not_there_is_refused(where: Where, captured: Captured) -> None:
    with pytest.raises(NotFound):
        sending(where, ExperimentId(new_id()), captured)
