"""The guide on comparing: its programs run, and its numbers are those of the code and of arithmetic."""

from __future__ import annotations

import contextlib
import math
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import tracker
from tests.docs.test_examples import ROOT, blocks, run_python
from tracker.domain.statistics.student_t import critical

PAGE = "docs/guide/comparing.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the page's programs have run, and what they printed."""
    folder = tmp_path_factory.mktemp("guide")
    done = run_python("\n".join(blocks("python", PAGE)), folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


def test_what_the_program_prints_stands_on_the_page(ran: tuple[Path, str]) -> None:
    (answer,) = blocks("text", PAGE)
    assert ran[1] == answer


def test_the_interval_is_what_arithmetic_gives(ran: tuple[Path, str]) -> None:
    error, reach = math.sqrt(0.0001 / 3 + 0.0001 / 3), critical(0.05, 4)
    low, high = 0.03 - reach * error, 0.03 + reach * error
    for number in (f"{error:.6f}", f"{reach:.4f}", f"{low:.4f}", f"{high:.4f}"):
        assert f"**{number}**" in TEXT
    with contextlib.chdir(ran[0]), tracker.open() as library:
        (project,) = library.projects.list()
        runs = {run.name: run.id for run in library.experiments.list(project.id)}
        found = library.experiments.compare([runs["adam0"], runs["lion0"]])
    assert found.metrics is not None
    contrast = next(row for row in found.metrics if row.key == "val.acc").cells[1].contrast
    assert contrast is not None
    assert (contrast.low, contrast.high) == pytest.approx((low, high))


@pytest.mark.slow
def test_every_shell_command_of_the_page_runs(ran: tuple[Path, str]) -> None:
    commands = [line for block in blocks("sh", PAGE) for line in block.splitlines() if line]
    assert len(commands) >= 5
    for command in commands:
        words = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(
            words, cwd=ran[0], capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        assert "adam0" in done.stdout or "lion2" in done.stdout or "opt" in done.stdout
