"""Dirty work trees are captured, sent, and restored elsewhere, byte by byte."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

import tracker
from entrypoints.cli.main import cli
from tests.dirty_repositories import KINDS, SECRET, inside, kinds_of, make_dirty, tree_of
from tracker.capture import Captured, capture
from tracker.capture.sending import send
from tracker.domain.ids import ExperimentId

pytestmark = pytest.mark.slow  # each makes a repository of its own

ALWAYS = (1, 7, 8, 9, 13)
SEEDS = [pytest.param(seed, marks=() if seed in ALWAYS else pytest.mark.slow) for seed in range(50)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a project."""
    folder = tmp_path_factory.mktemp("data")
    with tracker.open(folder) as library:
        library.projects.create("dirty")
    return folder


def states_of_repositories(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every byte and time of every file that git keeps for itself."""
    found = {}
    for top in (root, *root.parent.glob("tree*")):
        for folder in (place for place in top.rglob(".git") if place.is_dir()):
            for file in (each for each in folder.rglob("*") if each.is_file()):
                status = file.stat()
                found[str(file)] = (file.read_bytes(), status.st_mtime_ns, status.st_mode)
    return found


def sent(data: Path, captured: Captured, name: str) -> ExperimentId:
    async def run() -> ExperimentId:
        async with tracker.aopen(data) as library:
            project = await library.projects.find("dirty")
            assert project is not None
            experiment = await library.experiments.create(project.id, name=name)
            await send(library, experiment.id, captured)
            return experiment.id

    return asyncio.run(run())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_restored_is_the_tree(
    seed: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dirty = make_dirty(tmp_path / "here", seed)
    before = states_of_repositories(dirty.root)
    script = dirty.root / "src" if dirty.has_git else dirty.root

    captured = capture(script, environ=dict(os.environ), staging=tmp_path / "staging")

    assert states_of_repositories(dirty.root) == before
    assert not list((tmp_path / "here").glob("*-ran")), "something that the configuration names was run"
    _nothing_secret(captured, tmp_path)
    expected = inside(dirty)
    saved = Captured.load(tmp_path / "staging")
    assert saved is not None
    experiment = sent(data, saved, f"seed {seed}")
    shutil.rmtree(tmp_path / "here")
    (tmp_path / "no programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    assert shutil.which("git") is None
    words = ["--data", str(data), "restore", str(experiment), "--to", str(tmp_path / "there")]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert tree_of(tmp_path / "there") == expected, dirty.kinds


def _nothing_secret(captured: Captured, tmp_path: Path) -> None:
    told = json.dumps([captured.environment, captured.diff])
    assert SECRET not in told
    for file in (tmp_path / "staging").rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()


def test_the_seeds_have_every_kind_of_dirt() -> None:
    counts: Counter[str] = Counter()
    for seed in range(50):
        counts.update(kinds_of(seed))
    assert set(counts) == {"plain", "no_git", "no_commit", "worktree", *KINDS}
    assert min(counts.values()) >= 5
