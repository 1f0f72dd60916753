"""``tracker restore`` and ``rerun``: what they say when something is not as it should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import tracker
from tests.dirty_repositories import tree_of
from tests.factories import new_id
from tracker.domain.artifacts.snapshot import SnapshotFile

Run = Callable[..., Result]


@pytest.fixture
def taken(tmp_path: Path, family: list[dict[str, Any]]) -> list[str]:
    """The ids of two snapshots of experiment 1, and none of the others."""
    found = []
    with tracker.open(tmp_path / "data") as library:
        for content in (b"old", b"new"):
            digest = hashlib.sha256(content).hexdigest()
            library.artifacts.upload(digest, content)
            files = [
                SnapshotFile(path="a.txt", digest=digest, size=3),
                SnapshotFile(path="b/a.txt", digest=digest, size=3),
            ]
            told = {
                "left_out": {"count": 30, "first": [{"path": ".env", "reason": "may hold a secret"}] * 15}
            }
            found.append(str(library.artifacts.snapshot(family[0]["id"], files, environment=told).id))
    return found


def test_the_newest_snapshot_is_restored_and_what_it_lacks_is_told(
    run: Run, taken: list[str], tmp_path: Path
) -> None:
    done = run("restore", "1", "--to", "there")
    assert done.exit_code == 0, done.output
    assert {path: node[1] for path, node in tree_of(tmp_path / "there").items()} == {
        "a.txt": b"new",
        "b/a.txt": b"new",
    }
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "2 files, 6 bytes in there"
    assert lines[1:] == ["not captured: .env (may hold a secret)"] * 10 + ["not captured: 20 more"]


def test_an_older_snapshot_is_restored_by_its_id(run: Run, taken: list[str], tmp_path: Path) -> None:
    assert run("restore", "1", "--to", "there", "--snapshot", taken[0]).exit_code == 0
    assert (tmp_path / "there" / "a.txt").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["2", "--to", "there"], "experiment 2_from_1_wide has no snapshot"),
        (["1", "--to", "there", "--snapshot", str(new_id())], "not found"),
        (["1", "--to", "there", "--snapshot", "newest"], "is no id"),
        (["1", "--to", "full"], "full is not empty; --force writes into it all the same"),
        (["1", "--to", "full/mine"], "is a file; name a folder"),
        (["nothing", "--to", "there"], "experiment nothing not found"),
    ],
)
def test_what_cannot_be_restored_is_told_and_nothing_is_written(
    words: list[str], why: str, run: Run, taken: list[str], tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    done = run("restore", *words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert why in done.stderr
    assert not (tmp_path / "there").exists()
    assert tree_of(tmp_path / "full") == {"mine": ("file", b"mine", False)}


def test_a_folder_with_something_in_it_is_written_to_by_force(
    run: Run, taken: list[str], tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    assert run("restore", "1", "--to", "full", "--force").exit_code == 0
    assert set(tree_of(tmp_path / "full")) == {"a.txt", "b/a.txt", "mine"}


def test_a_snapshot_that_no_capture_took_cannot_be_run(run: Run, taken: list[str], tmp_path: Path) -> None:
    done = run("rerun", "1", "--to", "there")
    assert (done.exit_code, "does not tell what was started" in done.stderr) == (1, True)
    assert not (tmp_path / "there").exists()
