"""Memory does not grow with what is uploaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import ROOT, clean_environment


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_500_mb_up_and_down_take_no_more_than_50_mb(tmp_path: Path, kind: str):
    command = [
        sys.executable,
        "-m",
        "tests.service.evaluation.large_upload",
        str(tmp_path / "data"),
        "500",
        kind,
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["size"] > 490_000_000
    assert told["grown"] < 50
