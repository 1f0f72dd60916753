"""Commands called in process, each test over a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from entrypoints.cli.main import cli

Run = Callable[..., Result]


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


@pytest.fixture
def digits(ok: Callable[..., Any]) -> dict[str, Any]:
    return ok("project", "create", "digits", "--metric", "loss:minimize:best", "--metric", "acc")


@pytest.fixture
def family(ok: Callable[..., Any], digits: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("1_baseline", "2_from_1_wide", "3_from_2_deep", "4_from_1_slow")
    return [ok("experiment", "create", "--project", "digits", name) for name in names]
