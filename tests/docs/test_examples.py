"""The examples of README and guide, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.demo.family import CLAIMS, FAMILY

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str, page: str = "README.md") -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [code for kind, code in BLOCK.findall(text) if kind == language]


def run_python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder in which the training-script example has run, what it printed, and what its end said."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "train.py").write_text("print('trained')\n")
    done = run_python(blocks("python")[0], folder, TRACKER_SILENT="off")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout, done.stderr


def test_the_training_script_tracks_every_step(tracked: tuple[Path, str, str]) -> None:
    assert tracked[1].split() == ["1_baseline", "complete", "100", "0.01"]


def test_the_in_memory_example_runs(tmp_path: Path) -> None:
    done = run_python(blocks("python")[1], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_the_tracking_guide_runs_from_top_to_bottom(tmp_path: Path) -> None:
    examples = blocks("python", "docs/guide/tracking.md")
    assert len(examples) >= 5
    done = run_python("\n".join(examples), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_the_lineage_guide_runs_from_top_to_bottom(tmp_path: Path) -> None:
    examples = blocks("python", "docs/guide/lineage.md")
    assert len(examples) >= 6
    done = run_python("\n".join(examples), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_ends_as_the_readme_shows(tracked: tuple[Path, str, str]) -> None:
    shown = blocks("text")[1]
    measured = re.compile(r"[0-9.]+ (s|ms|%)|under 0.01 %")
    assert measured.sub("#", tracked[2]) == measured.sub("#", shown)


@pytest.mark.slow
def test_every_shell_command_runs_on_what_the_script_tracked(tracked: tuple[Path, str, str]) -> None:
    commands = [
        line
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith("tracker ") and " server" not in line
    ]
    assert len(commands) >= 4
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)],
            cwd=tracked[0],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert done.stdout.strip()


def test_the_picture_shows_the_family_that_the_demo_trains() -> None:
    picture = blocks("text")[0]
    shown = re.findall(r"│ (\d+_\S+)\s+│ (?:complete|failed)", picture)
    assert len(shown) == len(FAMILY)
    for name, member in zip(shown, FAMILY, strict=True):
        parent = "" if member.parent is None else f"from_{member.parent + 1}_"
        assert name.partition("_")[2] == f"{parent}{member.change}"
    assert [claim for claim, _ in judged(picture)] == [claim.title for claim in CLAIMS]


def judged(picture: str) -> list[tuple[str, str]]:
    return re.findall(r"│ (\S.*?)\s+│ (supported|refuted)", picture)
