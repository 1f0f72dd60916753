"""The guide on files: its programs run, and then its commands."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.test_examples import blocks, run_python
from tracker.settings import Settings

PAGE = "docs/guide/artifacts.md"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's programs have run."""
    folder = tmp_path_factory.mktemp("guide")
    done = run_python("\n".join(blocks("python", PAGE)), folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_shell_command_of_the_page_runs(ran: Path) -> None:
    (block,) = blocks("sh", PAGE)
    for command in block.splitlines():
        words = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(words, cwd=ran, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (command, done.stderr)
    assert (ran / "again.bin").read_bytes() == bytes(1_000_000)


def test_the_settings_of_the_page_are_settings() -> None:
    (block,) = blocks("console", PAGE)
    shown = dict(line.partition("#")[0].strip().split("=", 1) for line in block.splitlines())
    assert Settings.load(environ=shown).blobs_url == "s3://bucket/prefix"
