"""Commands called in process, each test over a folder of its own."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli.main import cli

Run = Callable[..., Result]
DIGITS = ("digits", "--metric", "loss:minimize:best", "--metric", "acc")
FAMILY = ("1_baseline", "2_from_1_wide", "3_from_2_deep", "4_from_1_slow")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for variable in ("DATABASE_URL", "TRACKER_DATA", "TRACKER_URL", "TRACKER_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run(*args: object, stdin: str | bytes | None = None) -> Result:
        words = ["--data", str(tmp_path / "data"), *map(str, args)]
        return CliRunner().invoke(cli, words, input=stdin, prog_name="tracker")

    return run


@pytest.fixture
def ok(run: Run) -> Callable[..., Any]:
    """Runs a command with --json that must succeed; gives what it printed."""

    def ok(*args: object) -> Any:
        # Behind the command's own words, but before a `--` that ends the options.
        words = list(args)
        words.insert(words.index("--") if "--" in words else len(words), "--json")
        result = run(*words)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return ok


@pytest.fixture(scope="session")
def filled_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    """Folders that commands filled once, of which each test has a copy, and what the commands told."""
    folder = tmp_path_factory.mktemp("filled")

    def ok(*words: str) -> Any:
        told = CliRunner().invoke(
            cli, ["--data", str(folder / "data"), *words, "--json"], prog_name="tracker"
        )
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    digits = ok("project", "create", *DIGITS)
    copied = shutil.copytree(folder / "data", folder / "digits")
    family = [ok("experiment", "create", "--project", "digits", name) for name in FAMILY]
    return {"digits": (copied, digits), "family": (folder / "data", family)}


def _copied(filled: tuple[Path, Any], data: Path) -> Any:
    folder, told = filled
    shutil.copytree(folder, data)
    return copy.deepcopy(told)


@pytest.fixture
def digits(ok: Callable[..., Any], filled_folders: dict[str, tuple[Path, Any]], tmp_path: Path) -> Any:
    """A project."""
    if (tmp_path / "data").exists():
        return ok("project", "create", *DIGITS)
    return _copied(filled_folders["digits"], tmp_path / "data")


@pytest.fixture
def family(
    request: pytest.FixtureRequest,
    ok: Callable[..., Any],
    filled_folders: dict[str, tuple[Path, Any]],
    tmp_path: Path,
) -> Any:
    """Four experiments in it."""
    if "digits" in request.fixturenames or (tmp_path / "data").exists():
        request.getfixturevalue("digits")
        return [ok("experiment", "create", "--project", "digits", name) for name in FAMILY]
    return _copied(filled_folders["family"], tmp_path / "data")
