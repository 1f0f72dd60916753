"""The guide for teams, run from top to bottom against a server in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tracker
from tests.docs.test_examples import ROOT, blocks
from tracker.domain.identity.audit.entry import Outcome
from tracker.settings import VARIABLES, Settings

PAGE = "docs/guide/teams.md"
WRITTEN_URL = "http://127.0.0.1:8000"
PASSWORD = "a long sentence"
ASKS = re.compile(r"tracker (login|user create)(?!.*--no-password)")


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Somebody who has installed tracker and set nothing."""
    kept = {name: value for name, value in os.environ.items() if name not in {*VARIABLES, "TRACKER_URL"}}
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "tracker").write_text(f'#!/bin/sh\nexec {sys.executable} -m tracker "$@"\n')
    (programs / "tracker").chmod(0o755)
    own = {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "config")}
    return {**kept, "PATH": f"{programs}:{kept['PATH']}", **own, **variables}


@contextmanager
def served(command: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Where the server that `command` starts answers, and the file of what it says."""
    log = folder / "server.log"
    line = "exec env " + command.replace("--port 8000", "--port 0")
    with log.open("w") as file, subprocess.Popen(
        ["sh", "-c", line], cwd=folder, env=environment(folder), stderr=file
    ) as process:  # fmt: skip
        try:
            while "startup complete" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield re.findall(r"http://127\.0\.0\.1:\d+", log.read_text())[0], log
        finally:
            process.terminate()


def script(parts: list[str], url: str) -> str:
    """The shell blocks as one script that answers what is asked."""
    lines = "\n".join(parts).replace("\\\n", " ").replace(WRITTEN_URL, url).splitlines()
    answer = f"printf '%s\\n' '{PASSWORD}' | "
    answered = (f"{answer}{line} --password-stdin" if ASKS.match(line) else line for line in lines)
    return "\n".join(["set -eu", *answered])


def run(text: str, folder: Path) -> str:
    """What a script prints; it must succeed."""
    done = subprocess.run(
        ["sh", "-c", text], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.slow  # two dozen processes
def test_the_guide_makes_a_team_whose_script_tracks_a_run(tmp_path: Path) -> None:
    first, server, _, *others = blocks("sh", PAGE)
    run(script([first], WRITTEN_URL), tmp_path)
    with served(server, tmp_path) as (url, _):
        said = run(script(others, url), tmp_path)
        assert "yes: project.edit is allowed explicitly on this project" in said
        (code,) = blocks("python", PAGE)
        token = (tmp_path / "nightly.token").read_text().strip()
        variables = environment(tmp_path, TRACKER_TOKEN=token, TRACKER_URL=url)
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=variables, check=True, timeout=60)
    exported = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert "team.member.add" in {entry["what"] for entry in exported}
    with tracker.open(tmp_path / "data") as library:
        project = library.projects.find("digits")
        assert project is not None and project.team_id is not None
        assert [each.name for each in library.experiments.list(project.id)] == ["1_baseline"]
        assert [account.email for account in library.users.list()][1:] == [
            "root@example.org", "ann@example.org",
        ]  # fmt: skip
        assert all(entry.outcome is Outcome.DONE for entry in library.audit.list(limit=1000))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.slow
def test_the_code_that_a_server_prints_makes_the_first_administrator(tmp_path: Path) -> None:
    _, server, call, *_ = blocks("sh", PAGE)
    with served(server, tmp_path) as (url, log):
        (code,) = re.findall(r"^ {4}(\S+)$", log.read_text(), re.MULTILINE)
        made = json.loads(run(call.replace(WRITTEN_URL, url).replace("CODE", code), tmp_path))
        assert made["is_superuser"] is True
        assert json.loads(run(call.replace(WRITTEN_URL, url).replace("CODE", code), tmp_path))["code"]


@pytest.mark.parametrize("block", blocks("env", PAGE))
def test_the_settings_of_the_guide_are_ones_that_tracker_reads(block: str) -> None:
    given = dict(line.split("=", 1) for line in block.splitlines())
    assert set(given) <= set(VARIABLES)
    settings = Settings.load(environ=given)
    assert settings.auth == "required" and settings.identity_rules.public_url == given["TRACKER_PUBLIC_URL"]
    assert bool(settings.oidc_teams) == ("OIDC_TEAMS" in given)


def test_the_example_of_settings_names_them_all_with_their_defaults() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert set(shown) == set(VARIABLES) - {"TRACKER_TOKEN", "XDG_CONFIG_HOME"}
    assert Settings.load(environ=shown) == Settings()
