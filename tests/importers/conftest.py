"""Folders and servers that take what is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tracker
from entrypoints.cli.main import cli

Run = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def library(data: Path) -> Iterator[tracker.Tracker]:
    with tracker.open(data) as opened:
        yield opened


@pytest.fixture
def run(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The shell on the folder `data`."""
    for variable in ("DATABASE_URL", "TRACKER_DATA", "TRACKER_URL", "TRACKER_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def run(*words: object) -> Result:
        return CliRunner().invoke(cli, ["--data", str(data), *map(str, words)], prog_name="tracker")

    return run
