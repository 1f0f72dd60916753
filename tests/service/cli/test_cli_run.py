"""``tracker run``: a script that knows nothing of runs is tracked, and one that does joins its run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker
from tests.e2e.processes import clean_environment

pytestmark = pytest.mark.slow  # each runs a script in a process of its own

Tracked = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tracked(tmp_path: Path) -> Tracked:
    """Runs ``tracker run`` over a folder of the test's own; ``script=`` is what train.py says."""

    def run(*words: str, script: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "train.py").write_text(textwrap.dedent(script))
        command = [sys.executable, "-m", "tracker", "--data", str(tmp_path / "data"), "run", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=clean_environment(TRACKER_SILENT="1", **variables),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    return run


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Any]:
    with tracker.open(tmp_path / "data") as opened:
        yield opened


def only(library: Any) -> Any:
    (project,) = library.projects.list(name="p")
    (experiment,) = library.experiments.list(project.id)
    return experiment


def test_flags_are_parameters_and_what_it_prints_is_kept(tracked: Tracked, library: Any) -> None:
    done = tracked(
        "--project", "p", "--name", "first", "--param", "data=mnist", "--param", "epochs=9", "--tag", "big",
        "train.py", "--", "--lr", "0.1", "--epochs=3", "--amp",
        script="import sys; print('args', sys.argv[1:]); print('oh', file=sys.stderr)",
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "args ['--lr', '0.1', '--epochs=3', '--amp']\n",
        "oh\n",
    )
    run = only(library)
    assert (run.name, run.status, run.tags) == ("first", "complete", ("big",))
    assert dict(run.params) == {"lr": 0.1, "epochs": 9, "amp": True, "data": "mnist"}
    (console,) = library.artifacts.list(run.id, kind="console")
    assert sorted(library.artifacts.read(console).splitlines()) == sorted(
        [*done.stdout.encode().splitlines(), b"oh"]
    )


def test_how_it_ends_is_how_the_run_ends(tracked: Tracked, library: Any) -> None:
    assert tracked("-p", "p", "train.py", script="raise ValueError('bad lr')").returncode == 1
    run = only(library)
    assert run.status == "failed"
    assert run.end_reason == "ValueError: bad lr (exit code 1)"


def test_the_exit_code_of_any_program_is_passed_on(tracked: Tracked, library: Any) -> None:
    done = tracked("-p", "p", "--no-console", "sh", "-c", "exit 7")
    assert done.returncode == 7
    assert only(library).end_reason == "exit code 7"
    assert library.artifacts.list(only(library).id, kind="console") == ()


def test_a_module_runs_as_python_runs_it(tracked: Tracked, library: Any, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack/train.py").write_text("import sys; print(__name__, sys.argv[1:])")
    done = tracked("-p", "p", "-m", "pack.train", "--", "--lr", "1")
    assert done.stdout == "__main__ ['--lr', '1']\n"
    assert dict(only(library).params) == {"lr": 1}


def test_a_script_that_tracks_itself_writes_to_the_same_run(tracked: Tracked, library: Any) -> None:
    done = tracked(
        "-p", "p", "--tag", "outer", "train.py", "--lr", "0.1",
        script="""
            import tracker
            with tracker.init("other", params={"depth": 3, "lr": 5}, tags=["inner"]) as run:
                run.log({"loss": 0.5}, step=0)
                run.log({"loss": 0.25}, step=1)
                run.metric("acc", 0.9)
                print(run.id, run.name)
        """,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = only(library)
    assert done.stdout == f"{run.id} {run.name}\n"
    assert library.scalars.read(run.id, "loss").value.tolist() == [0.5, 0.25]
    assert [metric.value for metric in library.metrics.list(run.id)] == [0.9]
    assert run.params["depth"] == 3
    assert set(run.tags) == {"outer", "inner"}
    assert run.status == "complete"
    assert [project.name for project in library.projects.list()] == ["p"]


def test_a_script_that_finishes_its_run_and_then_fails_has_failed(tracked: Tracked, library: Any) -> None:
    done = tracked(
        "-p", "p", "train.py",
        script="""
            import tracker
            with tracker.init() as run:
                run.log({"loss": 0.5}, step=0)
            raise SystemExit(3)
        """,
    )  # fmt: skip
    assert done.returncode == 3
    assert only(library).status == "failed"


def test_calls_of_wandb_go_to_the_run_where_that_is_wanted(tracked: Tracked, library: Any) -> None:
    done = tracked(
        "-p", "p", "--intercept", "wandb", "train.py", "--lr", "0.5",
        script="""
            import sys
            import wandb
            wandb.init(project="elsewhere", config={"depth": 2})
            for step in range(3):
                wandb.log({"loss": 1 / (step + 1)})
            wandb.finish()
            print(__name__, sys.argv)
        """,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "__main__ ['train.py', '--lr', '0.5']\n"), done.stderr
    run = only(library)
    assert library.scalars.read(run.id, "loss").step.tolist() == [0, 1, 2]
    assert (run.params["lr"], run.params["depth"]) == (0.5, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a script to run"),
        (("missing.py",), "there is no script missing.py"),
        (("no-such-program",), "there is no program no-such-program"),
        (("--param", "lr", "train.py"), "'lr' is not NAME=VALUE"),
        (("--intercept", "aim", "train.py"), "'aim' is none of tensorboard, wandb"),
        (("--intercept", "wandb", "sh"), "Python scripts and modules"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(words: tuple[str, ...], said: str, tracked: Tracked) -> None:
    done = tracked("-p", "p", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_project_nothing_runs(tracked: Tracked) -> None:
    done = tracked("train.py", script="print('ran')")
    assert (done.returncode, done.stdout) == (1, "")
    assert "TRACKER_PROJECT" in done.stderr
