"""The guide on hypotheses: its programs run, and its numbers are those of the code and of arithmetic."""

from __future__ import annotations

import contextlib
import math
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import tracker
from tests.docs.test_examples import ROOT, blocks, run_python
from tracker.domain.hypotheses.evidence import Evidence
from tracker.domain.hypotheses.hypothesis import HypothesisStatus
from tracker.domain.statistics.student_t import critical, two_sided_p

PAGE = "docs/guide/hypotheses.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
ROWS = {
    name: [float(cell) for cell in cells.split("|")]
    for name, cells in re.findall(r"^\| (\w+\d) \| ([-\d. |]+?) \|$", TEXT, re.MULTILINE)
    if cells.count("|") == 6
}
VALUES = {
    name: float(value) for name, value in re.findall(r"^\| (\w+\d) \| ([\d.]+) \|$", TEXT, re.MULTILINE)
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the page's programs have run, and what they printed."""
    folder = tmp_path_factory.mktemp("guide")
    done = run_python("\n".join(blocks("python", PAGE)), folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def evidence(ran: tuple[Path, str]) -> Evidence:
    with contextlib.chdir(ran[0]), tracker.open() as library:
        (project,) = library.projects.list()
        claim = library.hypotheses.list(project.id)[0]
        return library.hypotheses.evidence(claim.id)


def test_the_page_tells_six_values_and_three_rows_of_steps() -> None:
    assert len(VALUES) == 6 and len(ROWS) == 3


def test_the_table_of_steps_is_what_the_code_computes(evidence: Evidence) -> None:
    names = {one.id: one.name for one in evidence.experiments}
    for unit in evidence.units:
        computed = (
            unit.delta, unit.delta / unit.scale, unit.normalized, unit.stability, unit.replication,
            unit.confidence, unit.score,
        )  # fmt: skip
        assert ROWS[names[unit.experiment_id]] == [round(value, 4) for value in computed]


def test_the_table_of_steps_is_what_arithmetic_gives() -> None:
    base, scale = 0.72, 1.4826 * 0.05
    scores = []
    for name, row in ROWS.items():
        delta = VALUES[name] - base
        stability = 1 / (1 + 1.4826 * 0.01 / scale) if name == "wide2" else 1
        confidence = stability * 3 / 4
        scores.append(confidence * math.tanh(delta / scale))
        steps = (delta, delta / scale, math.tanh(delta / scale), stability, 3 / 4, confidence, scores[-1])
        assert row == [round(step, 4) for step in steps]
    assert f"**{sum(scores) / 3:.4f}**" in TEXT and f"**{scale:.4f}**" in TEXT


def test_the_interval_is_what_arithmetic_gives(evidence: Evidence) -> None:
    error = math.sqrt(0.0004 / 3 + 0.0004 / 3)
    reach = critical(0.05, 4)
    low, high = 0.10 - reach * error, 0.10 + reach * error
    for number in (f"= {error:.4f}", f"{reach:.4f} standard errors", f"**{low:.4f}**", f"**{high:.4f}**"):
        assert number in TEXT
    assert f"p is {two_sided_p(0.10 / error, 4):.4f}" in TEXT
    (target,) = evidence.targets
    assert target.interval == pytest.approx((low, high))
    assert (target.effect, target.p) == pytest.approx((0.10, two_sided_p(0.10 / error, 4)))
    assert evidence.computed_status is HypothesisStatus.SUPPORTED


def test_what_the_last_program_prints_is_the_verdict_in_words(
    ran: tuple[Path, str], evidence: Evidence
) -> None:
    assert ran[1].strip() == evidence.why


@pytest.mark.slow
def test_every_shell_command_of_the_page_runs(ran: tuple[Path, str]) -> None:
    commands = [line for block in blocks("sh", PAGE) for line in block.splitlines() if line]
    assert len(commands) >= 6
    outputs = {}
    for command in commands:
        words = [sys.executable, "-m", *shlex.split(command)]
        done = subprocess.run(
            words, cwd=ran[0], capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        outputs[shlex.split(command)[2]] = done.stdout
    assert "wide0 ×3 / narrow0 ×3" in outputs["show"]
    assert "supported" in outputs["list"]
