"""Runs, as a training script sees them."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from click.testing import CliRunner

import tracker
from entrypoints.cli.main import cli
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


WRONG: tuple[Any, ...] = (
    {"loss": "0.5"},
    {"loss": None},
    {"": 1.0},
    {"loss": 1j},
    {"loss": [1.0]},
    {"a\x00b": 1.0},
    {"\ud800": 1.0},
    7,
)


def test_what_cannot_be_logged_is_warned_of_once_and_costs_nothing_else(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        for wrong in WRONG:
            with pytest.warns(tracker.TrackerWarning, match="log: ") as told:
                run.log(wrong)
            assert told[0].filename == __file__
            with warnings.catch_warnings(record=True) as again:
                run.log(wrong)
            assert again == []
        with pytest.warns(tracker.TrackerWarning, match="c: must be a number, not NoneType"):
            run.log({"a": 1.0, "b": {"c": None, "d": 2.0}}, step=7)
        with pytest.warns(tracker.TrackerWarning, match="step"):
            run.log({"a": 1.0}, step=2**63)
    with pytest.warns(tracker.TrackerWarning, match="finished"):
        run.log({"loss": 1.0})
    run.metric("loss", 1.0)
    with tracker.open(tmp_path) as tr:
        kept = {row.name: (row.count, row.last_step) for row in tr.scalars.summary(run.experiment.project_id)}
    assert kept == {"a": (1, 7), "b.d": (1, 7)}


def test_a_strict_run_raises_what_it_cannot_take(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path, strict=True) as run:
        for wrong in WRONG:
            with pytest.raises(tracker.Invalid):
                run.log(wrong)  # type: ignore[arg-type]
        with pytest.raises(tracker.Invalid, match="step"):
            run.log({"loss": 1.0}, step=2**63)
    with pytest.raises(tracker.Conflict, match="finished"):
        run.log({"loss": 1.0})


@pytest.mark.slow
@pytest.mark.parametrize("reason", ["x" * 5000, "a\udc80b\0", "", ValueError("bad data")])
def test_a_run_ends_as_failed_whatever_the_reason_is_like(tmp_path: Path, reason: Any) -> None:
    run = tracker.init("p", data=tmp_path, capture=False)
    run.finish("failed", reason=reason)
    with tracker.open(tmp_path) as library:
        ended = library.experiments.get(run.id)
    assert (ended.status, ended.end_kind) == ("failed", "other")
    assert ended.end_reason


def test_an_end_of_no_known_kind_is_refused_and_the_run_goes_on(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path, capture=False) as run:
        with pytest.raises(Invalid, match="kind"):
            run.finish("failed", kind="boo")
        run.log({"loss": 1.0})
    assert run.experiment.status == "complete"


def test_there_is_no_step_after_the_last_one(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        run.log({"loss": 1.0}, step=2**63 - 1)
        with pytest.warns(tracker.TrackerWarning, match="step"):
            run.log({"loss": 2.0})
    assert run.unsaved == 0
    with tracker.open(tmp_path) as library:
        assert library.scalars.read(run.id, "loss").step.tolist() == [2**63 - 1]


def test_values_are_in_the_store_soon_after_they_were_logged(tmp_path: Path) -> None:
    run = tracker.init("p", data=tmp_path)
    for step in range(10):
        run.log({"loss": step}, step=step)
    assert run.flush(timeout=30) == 0
    with tracker.open(tmp_path) as tr:
        assert len(tr.scalars.read(run.id, "loss")) == 10
    run.finish()


def test_an_offline_run_is_in_the_store_after_sync_once_and_whole(tmp_path: Path) -> None:
    with tracker.init("p", "1_far", data=tmp_path, mode="offline", params={"lr": 0.1}) as run:
        for step in range(100):
            run.log({"loss": step / 7}, step=step)
        run.metric("acc", 0.9)
        run.tag("remote")
        with pytest.raises(tracker.Unavailable, match="no experiment yet"):
            run.id  # noqa: B018
    for _ in range(2):
        assert CliRunner().invoke(cli, ["--data", str(tmp_path), "sync"]).exit_code == 0
        with tracker.open(tmp_path) as tr:
            (project,) = tr.projects.list()
            (made,) = tr.experiments.list(project.id)
            assert (made.name, made.status, made.tags, dict(made.params)) == (
                "1_far",
                "complete",
                ("remote",),
                {"lr": 0.1},
            )
            assert tr.scalars.read(made.id, "loss").value.tolist() == [step / 7 for step in range(100)]
            assert [each.value for each in tr.metrics.list(made.id)] == [0.9]
    assert not (tmp_path / "journal").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("project", "p" * 101),
        ("name", "n" * 101),
        ("name", ""),
        ("description", "d" * 1001),
        ("tags", ("a", "a")),
        ("tags", ("t" * 101,)),
    ],
)
@pytest.mark.parametrize("mode", ["online", "offline"])
def test_what_no_store_would_take_is_refused_at_the_start(
    tmp_path: Path, mode: str, field: str, value: object
) -> None:
    with pytest.raises(Invalid, match=field):
        tracker.init(**{"project": "p", "data": tmp_path, "mode": mode, field: value})
    assert not list(tmp_path.rglob("run.json"))


def test_a_disabled_run_takes_everything_and_keeps_nothing(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path, mode="disabled") as run:
        run.log({"loss": 1.0})
        run.metric("acc", 1.0)
        run.tag("x")
        assert run.flush() == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("told", [{"TRACKER_RUN_KEY": str(uuid4())}, {"LOCAL_WORLD_SIZE": "3"}])
def test_ranks_of_a_job_write_to_one_experiment(tmp_path: Path, told: dict[str, str]) -> None:
    script = (
        "import tracker\n"
        "with tracker.init('p', data='.') as run:\n"
        "    for step in range(5): run.log({'loss': run.rank * 100 + step}, step=step)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WORLD_SIZE": "3", **told}
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env={**environment, "RANK": str(rank)},
        )
        for rank in range(3)
    ]
    assert [job.wait(timeout=60) for job in jobs] == [0, 0, 0]
    with tracker.open(tmp_path) as tr:
        (project,) = tr.projects.list()
        (made,) = tr.experiments.list(project.id)
        series = {row.name: row.last_value for row in tr.scalars.summary(project.id)}
    assert (made.status, series) == ("complete", {"loss": 4.0, "loss@rank1": 104.0, "loss@rank2": 204.0})


def test_a_run_resumed_at_a_step_has_one_clean_curve_and_keeps_what_it_gave_up(tmp_path: Path) -> None:
    with tracker.init("p", "1_long", data=tmp_path) as first:
        for step in range(100):
            first.log({"loss": float(step)}, step=step)
    with tracker.init("p", data=tmp_path, resume="1_long", step=60) as run:
        assert run.experiment.status is tracker.Status.RUNNING
        for _ in range(20):
            run.log({"loss": -1.0})
    assert run.id == first.id
    with tracker.open(tmp_path) as tr:
        loss = tr.scalars.read(run.id, "loss")
        assert loss.step.tolist() == list(range(80))
        assert loss.value.tolist() == [float(step) for step in range(60)] + [-1.0] * 20
        (branch,) = tr.experiments.branches(run.id)
        assert (branch.from_step, branch.points) == (60, 40)
        assert tr.scalars.read(branch.id, "loss").value.tolist() == [float(step) for step in range(60, 100)]


def test_auto_goes_on_with_what_did_not_come_to_its_end_and_otherwise_begins(tmp_path: Path) -> None:
    with tracker.init("p", "1_a", data=tmp_path, resume="auto") as first:
        first.log({"loss": 1.0})
        first.finish("failed", reason="preempted", kind="preempted")
    with tracker.init("p", "1_a", data=tmp_path, resume="auto") as second:
        second.log({"loss": 2.0})
    with tracker.init("p", "1_a", data=tmp_path, resume="auto") as third:
        pass
    assert first.id == second.id != third.id
    assert second.experiment.end_kind is None
    with tracker.open(tmp_path) as tr:
        assert tr.scalars.read(first.id, "loss").step.tolist() == [0, 1]


def test_auto_has_a_run_that_ended_before_its_first_value_running_again(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path, resume="auto") as first:
        first.finish("failed", reason="no GPU", kind="exception")
    with tracker.init("p", data=tmp_path, resume="auto") as second:
        assert (second.id, second.experiment.status) == (first.id, tracker.Status.RUNNING)
        assert second.experiment.end_reason is None


@pytest.mark.parametrize("resume", ["1_a", "auto"])
def test_what_a_resumed_run_is_started_with_is_kept_with_what_it_had(tmp_path: Path, resume: str) -> None:
    with tracker.init("p", "1_a", params={"lr": 0.1, "seed": 1}, tags=["first"], data=tmp_path) as run:
        run.log({"loss": 1.0})
        run.finish("failed")
    changed = {"lr": 0.2, "warmup": 5}
    with tracker.init("p", "1_a", params=changed, tags=["second"], data=tmp_path, resume=resume):
        pass
    with tracker.open(tmp_path) as tr:
        kept = tr.experiments.get(run.id)
    assert dict(kept.params) == {"lr": 0.2, "seed": 1, "warmup": 5}
    assert kept.tags == ("first", "second")


def test_a_step_to_go_on_at_needs_a_run_that_goes_on(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="step: goes with resume"):
        tracker.init("p", data=tmp_path, step=5)
    with tracker.init("p", data=tmp_path, step=0) as run:  # as a script begins that counts from there
        run.log({"loss": 1.0})
    assert run.name == "1_run"


def test_one_text_as_tags_is_one_tag(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path, tags="baseline") as run:
        pass
    assert run.experiment.tags == ("baseline",)


@pytest.mark.slow
def test_what_is_printed_and_how_loaded_the_machine_was_are_kept_when_asked_for(tmp_path: Path) -> None:
    script = (
        "import os, tracker\n"
        "with tracker.init('p', data='.', console=True, system=True, silent=False) as run:\n"
        "    run.log({'loss': 1.0}); print('hello'); os.system('echo from a child')\n"
        "    run.log({'loss': 2.0})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "hello\nfrom a child\n"
    assert len(ended.stderr.splitlines()) <= 12
    assert "1_run in p: complete" in ended.stderr
    with tracker.open(tmp_path) as tr:
        (project,) = tr.projects.list()
        (made,) = tr.experiments.list(project.id)
        (console,) = tr.artifacts.list(made.id, kind="console")
        kept = tr.artifacts.read(console).decode()
        assert "out hello" in kept
        assert "out from a child" in kept
        names = {row.name for row in tr.scalars.summary(project.id)}
        assert "system.memory.percent" in names
        assert tr.scalars.read(made.id, "loss").step.tolist() == [0, 1]


def test_media_and_files_are_artifacts_of_the_moment_they_were_given(tmp_path: Path) -> None:
    checkpoint = tmp_path / "model.bin"
    with tracker.init("p", data=tmp_path) as run:
        checkpoint.write_bytes(b"first")
        run.file(checkpoint, kind="checkpoint")
        checkpoint.write_bytes(b"later")
        run.note("**seen**")
        run.image("noise", np.zeros((4, 4)), step=3)
        run.table("rows", [{"a": 1}])
        run.params({"late": {"lr": 0.5}})
        with pytest.warns(tracker.TrackerWarning, match="file: path: "):
            run.file(tmp_path / "nowhere")
    with tracker.open(tmp_path) as tr:
        found = {each.name.split("/")[0]: each for each in tr.artifacts.list(run.id)}
        assert set(found) == {"model.bin", "notes", "noise.png", "rows.jsonl"}
        assert tr.artifacts.read(found["model.bin"]) == b"first"
        assert (found["noise.png"].step, found["noise.png"].kind) == (3, "image")
        assert dict(tr.experiments.get(run.id).params) == {"late.lr": 0.5}


def test_a_name_that_no_artifact_can_have_is_told_where_it_is_given(tmp_path: Path) -> None:
    here = tmp_path / "a.txt"
    here.write_text("a")
    with tracker.init("p", data=tmp_path) as run, pytest.warns(tracker.TrackerWarning) as told:
        run.file(here, name="../up")
        run.text("kept", "x")
    assert [(each.filename, "file: name: a path must be relative" in str(each.message)) for each in told] == [
        (__file__, True)
    ]
    with tracker.init("p", data=tmp_path, strict=True) as strict:
        for name in ("../up", "", "/root", "a" * 501, "a" * 499, 7):  # the ending has no room behind 499
            with pytest.raises(Invalid, match=r"^name: "):
                strict.text(name, "x")  # type: ignore[arg-type]
    with tracker.open(tmp_path) as tr:
        assert [each.name for each in tr.artifacts.list(run.id)] == ["kept.txt"]
        assert tr.artifacts.list(strict.id) == ()


def test_nan_is_no_progress(tmp_path: Path) -> None:
    with tracker.init("p", data=tmp_path) as run:
        run.progress(40)
        with pytest.warns(tracker.TrackerWarning, match="progress: must be a number from 0 to 100, not NaN"):
            run.progress(math.nan)
        run.finish("failed")
    with tracker.open(tmp_path) as tr:
        assert tr.experiments.get(run.id).progress == 40
