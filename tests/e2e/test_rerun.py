"""``tracker rerun`` in processes: a run is made again from what was captured of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import tracker
from tests.dirty_repositories import git
from tests.e2e.processes import clean_environment
from tracker.capture import Captured, Started, capture
from tracker.capture.sending import send
from tracker.domain.ids import ExperimentId

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import argparse, os, sys
from pathlib import Path
import numpy as np
from model import FACTOR
import tracker

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--config", type=Path)
parser.add_argument("--api-key")
parser.add_argument("--data")
parser.add_argument("--exit", type=int, default=0)
args = parser.parse_args()
assert Path.cwd().name == "work", Path.cwd()
with tracker.init("digits", data=args.data, params={"lr": args.lr}) as run:
    run.log({"loss": args.lr * FACTOR * float(args.config.read_text())})
    print("hash", os.environ.get("PYTHONHASHSEED"), "key", args.api_key)
sys.exit(args.exit)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    tree = tmp_path / "project"
    (tree / "work").mkdir(parents=True)
    git(tree, "init", "-q")
    (tree / "train.py").write_text(SCRIPT)
    (tree / "model.py").write_text("FACTOR = 1\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "first")
    (tree / "model.py").write_text("FACTOR = 2\n")  # what counts is what ran, committed or not
    (tree / "config.txt").write_text("3")
    return tree


class Shell:
    """Runs commands on one data folder."""

    def __init__(self, data: Path, folder: Path) -> None:
        self.data = data
        self.folder = folder

    def run(self, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = clean_environment(
            TRACKER_DATA=str(self.data),
            TRACKER_SILENT="1",
            TRACKER_CAPTURE="on",
            TRACKER_EXIT_SECONDS="100",
            **variables,
        )
        environment["DATABASE_URL"] = f"sqlite:///{self.data}/tracker.db"
        return subprocess.run(
            [sys.executable, *map(str, words)], cwd=self.folder, env=environment, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def ran(project: Path, tmp_path: Path) -> Shell:
    """A shell after one run, of which all that it ran was captured."""
    shell = Shell(tmp_path / "data", project / "work")
    words = ("../train.py", "--lr", "0.5", "--config", project / "config.txt")
    done = shell.run(*words, PYTHONHASHSEED="5")
    assert done.returncode == 0, done.stderr
    shell.folder = tmp_path
    return shell


@pytest.mark.slow
def test_a_rerun_is_a_child_that_computes_the_same(ran: Shell, project: Path, tmp_path: Path) -> None:
    project.rename(tmp_path / "moved")
    done = ran.run("-m", "tracker", "rerun", "1", "--to", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "hash 5 key None\n"
    with tracker.open(ran.data) as library:
        (home,) = library.projects.list()
        first, second = library.experiments.list(home.id)
        losses = [library.scalars.read(each.id, "loss").value.tolist() for each in (first, second)]
    assert second.parent_id == first.id
    assert (second.name, dict(second.params)) == ("2_from_1_run", {"lr": 0.5})
    assert losses == [[3.0], [3.0]]
    assert (tmp_path / "again" / "model.py").read_text() == "FACTOR = 2\n"


@pytest.mark.slow
def test_arguments_are_added_and_the_exit_code_is_the_scripts(ran: Shell, tmp_path: Path) -> None:
    added = ("--lr", "0.25", "--exit", "7", "--data", "elsewhere")
    done = ran.run("-m", "tracker", "rerun", "1", "--to", tmp_path / "again", "--", *added)
    assert done.returncode == 7, done.stderr
    with tracker.open(ran.data) as library:
        (home,) = library.projects.list()
        first, second = library.experiments.list(home.id)
        assert (second.params["lr"], second.parent_id) == (0.25, first.id)
        assert library.scalars.read(second.id, "loss").value.tolist() == [1.5]
    assert not (tmp_path / "again" / "work" / "elsewhere").exists()  # a child is kept beside its parent


@pytest.mark.slow
def test_a_script_that_knows_nothing_of_tracker_is_run_again(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "data", tmp_path / "project")
    shell.folder.mkdir()
    (shell.folder / "plain.py").write_text("import sys\nprint(sys.argv[1:])\n")
    command = Path(sys.executable).with_name("tracker")
    done = shell.run(command, "run", "--project", "p", "plain.py", "--", "--lr", "1")
    assert done.returncode == 0, done.stderr
    done = shell.run("-m", "tracker", "rerun", "1", "--to", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert "['--lr', '1']" in done.stdout
    with tracker.open(shell.data) as library:
        (home,) = library.projects.list()
        first, second = library.experiments.list(home.id)
    assert second.parent_id == first.id


@pytest.mark.slow
def test_packages_that_are_not_as_they_were_are_told(ran: Shell, tmp_path: Path) -> None:
    other = tmp_path / "packages"
    (other / "something-1.5.dist-info").mkdir(parents=True)
    (other / "something-1.5.dist-info" / "METADATA").write_text("Name: something\nVersion: 1.5\n")
    done = ran.run("-m", "tracker", "rerun", "1", PYTHONPATH=f"{ROOT}{os.pathsep}{other}")
    assert done.returncode == 0, done.stderr
    assert "something (none) -> 1.5" in done.stderr.splitlines()


@pytest.mark.slow
def test_what_cannot_be_run_is_told_before_anything_is_written(ran: Shell, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    done = ran.run("-m", "tracker", "rerun", "1", "--to", tmp_path / "full")
    assert (done.returncode, "is not empty" in done.stderr) == (1, True)
    done = ran.run("-m", "tracker", "rerun", "1", "--python", tmp_path / "none")
    assert (done.returncode, "is no Python that works" in done.stderr) == (3, True)
    done = ran.run("-m", "tracker", "rerun", "1", "--python", "x", "--venv")
    assert (done.returncode, "exclude each other" in done.stderr) == (2, True)
    with tracker.open(ran.data) as library:
        (home,) = library.projects.list()
        assert len(library.experiments.list(home.id)) == 1


@pytest.mark.slow
def test_an_environment_has_the_recorded_packages_and_no_others(tmp_path: Path) -> None:
    """Installs one package; the script finds it in the recorded version, and tracker's own beside it."""
    shell = Shell(tmp_path / "data", tmp_path)
    tree = tmp_path / "project"
    tree.mkdir()
    (tree / "train.py").write_text(
        "import importlib.metadata as m, importlib.util as u, sys\n"
        "print(m.version('click'), u.find_spec('numpy'), u.find_spec('tracker') is not None, sys.prefix)\n"
    )
    started = Started(("train.py",), (sys.executable, "train.py"), tree, tree / "train.py")
    captured = capture(started=started, environ={}, staging=tmp_path / "staging")
    version = captured.environment["packages"]["click"]
    environment = {
        **captured.environment,
        "packages": {"click": version, "tracker": "0.1.0", "local": "1"},
        "origins": {"tracker": {"url": "file:", "editable": True}, "local": {"url": "file:"}},
    }
    with tracker.open(shell.data) as library:
        run = library.experiments.create(library.projects.create("p").id, name="1_alone")
    asyncio.run(_send(shell.data, run.id, replace(captured, environment=environment)))
    done = shell.run("-m", "tracker", "rerun", "1", "--venv", "--to", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [version, "None", "True", str(tmp_path / "again" / ".venv")]
    assert "not installed, since they came from a folder: local" in done.stderr


async def _send(data: Path, experiment: ExperimentId, captured: Captured) -> None:
    async with tracker.aopen(data) as library:
        await send(library, experiment, captured)
