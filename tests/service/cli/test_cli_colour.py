"""Colour and width on a terminal, none of it in a pipe, and names that would steer the terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import tracker
from entrypoints.cli.main import cli
from tests.e2e.processes import clean_environment
from tracker import MetricDefinition
from tracker.domain.projects.project import Direction

pytestmark = pytest.mark.slow  # each starts a terminal

NASTY = "2_from_1_\x1b[31m\x07\u202e[red]漢字"
ESCAPE = "\x1b["
METRICS = (MetricDefinition(name="acc"), MetricDefinition(name="loss", direction=Direction.MINIMIZE))
LONG = "3_from_1_" + "x" * 80


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three experiments, of which the second has an odd name and the best value."""
    folder = tmp_path_factory.mktemp("colour")
    with tracker.open(folder) as library:
        project = library.projects.create("p", metrics=METRICS)
        for name, value, status in (
            ("1_a", 0.5, "complete"),
            (NASTY, 0.75, "failed"),
            (LONG, 0.25, "running"),
        ):
            fields = {"params": {NASTY: value}, "git_diff": f"+{NASTY}\n{value}\n", "tags": [NASTY]}
            made = library.experiments.create(project.id, name=name, status=status, **fields)
            library.metrics.log(made.id, "acc", value)
            library.metrics.log(made.id, "loss", value)
    return folder


def on_terminal(folder: Path, *words: str, **variables: str) -> str:
    """What the command writes to a terminal, stderr too."""
    master, slave = pty.openpty()
    environment = clean_environment(TERM="xterm-256color", **{"COLUMNS": "80", **variables})
    command = [sys.executable, "-m", "tracker", "--data", str(folder), *words]
    with subprocess.Popen(command, env=environment, stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        written = b""
        while piece := _read(master):
            written += piece
        assert process.wait(60) == 0, written
    os.close(master)
    return written.decode().replace("\r\n", "\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # so Linux says that the other end is closed
        return b""


def invoked(folder: Path, *words: str, **how: object) -> str:
    result = CliRunner().invoke(cli, ["--data", str(folder), *words], prog_name="tracker", **how)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_terminal_gets_colours_that_fit_it(folder):
    shown = on_terminal(folder, "ls", "--sort", "name")
    assert "\x1b[32m" in shown and "\x1b[31m" in shown and "\x1b[36m" in shown  # the three statuses
    best = "\x1b[32m\x1b[1m{}\x1b[0m"
    assert shown.count(best.format("0.75")) == shown.count(best.format("0.25")) == 1  # of acc and of loss
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(map(len, plain)) <= 80
    assert any(line.split()[1].endswith("…") for line in plain)


def test_a_terminal_that_is_too_narrow_drops_columns_and_says_so(folder):
    shown = on_terminal(folder, "ls", COLUMNS="40", NO_COLOR="1")
    assert "\x1b" not in shown
    (told,) = (line for line in shown.splitlines() if "too narrow" in line)
    assert "created" in told
    assert all(len(line) <= 40 for line in shown.splitlines() if line != told)


@pytest.mark.parametrize("words", [["ls"], ["tree"], ["show", "2"], ["diff", "1", "2", "--git"]])
def test_a_pipe_gets_no_colours_and_whole_texts(folder, words):
    shown = invoked(folder, *words)
    assert ESCAPE not in shown
    if words == ["ls"]:
        assert LONG in shown


@pytest.mark.parametrize("words", [["ls"], ["tree"], ["show", "2"], ["diff", "1", "2", "--git"]])
def test_no_name_can_steer_the_terminal(folder, words):
    shown = invoked(folder, *words, color=True)
    assert ESCAPE in shown  # ours
    assert not re.findall(r"\x1b(?!\[[0-9;]*m)|\x07|\u202e", shown)
    assert r"\x1b[31m\x07\u202e[red]漢字" in shown


@pytest.mark.parametrize("words", [["--no-color", "ls"], ["ls", "--no-color"], ["show", "2", "--no-color"]])
def test_no_color_means_no_colour(folder, words):
    assert ESCAPE not in invoked(folder, *words, color=True)


def test_the_variable_means_no_colour_unless_it_is_empty(folder):
    assert ESCAPE not in invoked(folder, "ls", color=True, env={"NO_COLOR": "yes"})
    assert ESCAPE in invoked(folder, "ls", color=True, env={"NO_COLOR": ""})


def test_better_and_worse_follow_the_metrics_direction(folder):
    acc, loss = re.findall(r"\x1b\[3\dm\+0.25\x1b\[0m", invoked(folder, "diff", "1", "2", color=True))
    assert (acc[:5], loss[:5]) == ("\x1b[32m", "\x1b[31m")


def test_a_store_that_does_not_answer_leaves_the_rest(folder):
    silent = {"SCALARS_URL": "http://127.0.0.1:9"}
    for words, text in ((["show", "2"], "0.75"), (["tree"], "0.75")):
        result = CliRunner().invoke(cli, ["--data", str(folder), *words], prog_name="tracker", env=silent)
        assert (result.exit_code, text in result.stdout) == (0, True), result.output
        assert "no curves: " in result.stderr and len(result.stderr.splitlines()) == 1
