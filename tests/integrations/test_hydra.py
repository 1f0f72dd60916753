from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hydra", reason="needs the dependency group integrations")

SCRIPT = """
import hydra
from tracker.integrations.hydra import current_run

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    run = current_run()
    for step in range(3):
        run.log({"loss": config.opt.lr * step}, step=step)
    if config.fails:
        raise ValueError("too hot")
    print("trained")
    return config.opt.lr * 10

main()
"""
CONFIG = """
fails: false
name: ${opt.kind}-${opt.lr}
opt:
  kind: adam
  lr: 0.1
layers: [4, 2]
hydra:
  callbacks:
    tracker:
      _target_: tracker.integrations.hydra.TrackerCallback
      project: p
      tags: [sweeping]
"""


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/config.yaml").write_text(CONFIG)
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "train.py", *arguments],
        cwd=folder, env={**os.environ}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_a_job_is_a_run_with_the_composed_configuration_and_its_outputs(folder: Path, kept: Any) -> None:
    done = run(folder, "opt.lr=0.5")
    assert done.returncode == 0, done.stderr
    job = kept.only()
    assert job.params["opt.lr"] == 0.5
    assert job.params["name"] == "adam-0.5"
    assert not any(name.startswith("hydra") for name in job.params)
    assert job.tags == ("sweeping",)
    assert kept.curve(job, "loss") == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert kept.metrics(job) == {"objective": 5.0}
    assert job.status == "complete"
    assert any(name.startswith("outputs") for name in kept.artifacts(job))


def test_a_job_that_raises_is_failed_with_the_reason(folder: Path, kept: Any) -> None:
    assert run(folder, "fails=true").returncode == 1
    job = kept.only()
    assert job.status == "failed"
    assert job.end_reason.startswith("ValueError: too hot")
    assert job.end_kind == "exception"


def test_a_sweeps_jobs_are_its_children(folder: Path, kept: Any) -> None:
    done = run(folder, "--multirun", "opt.lr=0.1,0.2,0.3")
    assert done.returncode == 0, done.stderr
    (sweep,) = [each for each in kept.experiments() if each.parent_id is None]
    jobs = kept.children(sweep)
    assert [job.params["opt.lr"] for job in jobs] == [0.1, 0.2, 0.3]
    assert all(job.status == "complete" for job in [*jobs, sweep])
    assert "opt.lr=0.1,0.2,0.3" in sweep.params["sweep.overrides"]
