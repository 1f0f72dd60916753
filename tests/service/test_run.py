"""Runs, as a training script sees them."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tracker
from tracker.domain.errors import Invalid

ROOT = Path(__file__).parents[2]


def test_every_point_logged_is_read_back(tmp_path: Path) -> None:
    with tracker.init("p", params={"optim": {"lr": np.float64(0.1)}}, data=tmp_path) as run:
        for step in range(1500):
            run.log({"train": {"loss": np.float32(step)}})
        run.log({"train.loss": math.nan}, step=5000)
    assert run.unsaved == 0
    assert run.name == "1_run"
    with tracker.open(tmp_path) as tr:
        kept = tr.experiments.get(run.id)
        assert (kept.status, dict(kept.params)) == (tracker.Status.COMPLETE, {"optim.lr": 0.1})
        loss = tr.scalars.read(run.id, "train.loss")
    assert loss.step.tolist() == [*range(1500), 5000]
    assert np.isnan(loss.value[-1])


def test_an_exception_marks_the_run_as_failed_and_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), tracker.init("p", data=tmp_path) as run:
        raise ZeroDivisionError
    assert run.experiment.status is tracker.Status.FAILED


def test_a_parent_is_a_run_an_id_or_a_name(tmp_path: Path) -> None:
    with tracker.init("p", "1_base", data=tmp_path) as base:
        pass
    for parent in (base, base.id, str(base.id), "1_base"):
        with tracker.init("p", parent=parent, data=tmp_path) as child:
            assert child.experiment.parent_id == base.id
    assert child.name == "5_from_1_run"
    with pytest.raises(tracker.NotFound):
        tracker.init("p", parent="nobody", data=tmp_path)


def test_what_is_no_number_is_refused_at_once(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        for wrong in ({"loss": "0.5"}, {"loss": None}, {"": 1.0}):
            with pytest.raises(tracker.Invalid):
                run.log(wrong)
        with pytest.raises(tracker.Invalid, match="step"):
            run.log({"loss": 1.0}, step=2**63)
    with pytest.raises(tracker.Conflict, match="finished"):
        run.log({"loss": 1.0})


@pytest.mark.slow
def test_a_script_that_crashes_outside_of_a_block_leaves_a_failed_run(tmp_path: Path) -> None:
    script = "import tracker\nrun = tracker.init('p', data='.')\nrun.log({'loss': 1.0})\n"
    for last_line in ("1 / 0", "pass"):
        subprocess.run(
            [sys.executable, "-c", script + last_line],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=60,
            check=False,
        )
    with tracker.open(tmp_path) as library:
        (project,) = library.projects.list()
        crashed, ended = library.experiments.list(project.id)
        assert (crashed.status, ended.status) == ("failed", "complete")
        assert [len(library.scalars.read(each.id, "loss")) for each in (crashed, ended)] == [1, 1]


def test_a_name_or_step_that_cannot_be_kept_is_refused_and_costs_no_other_point(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        run.log({"loss": 1.0}, step=2**63 - 1)
        with pytest.raises(Invalid, match="step"):
            run.log({"loss": 2.0})
        for name in ("a\x00b", "\ud800"):
            with pytest.raises(Invalid, match="name"):
                run.log({name: 1.0}, step=0)
    assert run.unsaved == 0
    with tracker.open(tmp_path) as library:
        assert library.scalars.read(run.id, "loss").step.tolist() == [2**63 - 1]
