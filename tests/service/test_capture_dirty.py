"""Dirty work trees are captured, and built again elsewhere, byte by byte."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.dirty_repositories import KINDS, SECRET, inside, kinds_of, make_dirty, tree_of
from tracker.run.capture import Captured, capture
from tracker.run.capture.rebuilding import Tree, rebuild

ALWAYS = (1, 7, 8, 9, 13)
SEEDS = [pytest.param(seed, marks=() if seed in ALWAYS else pytest.mark.slow) for seed in range(50)]


def states_of_repositories(root: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every byte and time of every file that git keeps for itself."""
    found = {}
    for top in (root, *root.parent.glob("tree*")):
        for folder in (place for place in top.rglob(".git") if place.is_dir()):
            for file in (each for each in folder.rglob("*") if each.is_file()):
                status = file.stat()
                found[str(file)] = (file.read_bytes(), status.st_mtime_ns, status.st_mode)
    return found


def rebuilt(captured: Captured, to: Path) -> dict[str, tuple[str, bytes, bool]]:
    blobs = {file.digest: source for file, source in captured.files}
    tree = Tree.of([file for file, _ in captured.files], captured.environment)
    rebuild(tree, lambda digest, place: place.write_bytes(blobs[digest].read_bytes()) and None, to)
    return tree_of(to)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_built_again_is_the_tree(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dirty = make_dirty(tmp_path / "here", seed)
    before = states_of_repositories(dirty.root)

    script = dirty.root / "src" if dirty.has_git else dirty.root
    captured = capture(script, environ=dict(os.environ), staging=tmp_path / "staging")

    assert states_of_repositories(dirty.root) == before
    assert not list((tmp_path / "here").glob("*-ran")), "something that the configuration names was run"
    expected = inside(dirty)
    saved = Captured.load(tmp_path / "staging")
    assert saved is not None
    (tmp_path / "no programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    assert shutil.which("git") is None
    assert rebuilt(saved, tmp_path / "there") == expected, dirty.kinds
    _nothing_secret(captured, tmp_path)


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
