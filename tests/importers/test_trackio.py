"""Databases that trackio itself wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers.tools import bits, imported, needs, run_tool, series_of

pytestmark = needs("trackio")

WRITE = """
import trackio
for name in ("t1", "t2"):
    trackio.init(project="digits", name=name, group="g", config={"lr": 0.1, "opt": {"name": "adam"}})
    for step in range(200):
        odd = [float("nan"), float("inf"), -float("inf"), -0.0][step % 4]
        trackio.log({"loss": 1 / (step + 3), "odd": odd, "val": {"acc": step}, "word": "hello"})
    trackio.finish()
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    run_tool(WRITE, tmp_path, TRACKIO_DIR=str(tmp_path / "trackio"))
    return tmp_path / "trackio"


def test_runs_come_with_every_bit(store: Path, run, library) -> None:
    result = run("import", "trackio", store)
    assert result.exit_code == 0, result.output
    found = imported(library, "digits")
    assert set(found) == {"t1", "t2"}
    for experiment in found.values():
        series = series_of(library, experiment)
        assert series["loss"][0] == list(range(200))
        assert series["loss"][2] == bits([1 / (step + 3) for step in range(200)])
        assert series["odd"][2][:4] == bits([float("nan"), float("inf"), -float("inf"), -0.0])
        assert series["val.acc"][2] == bits(range(200))
        assert dict(experiment.params) == {"lr": 0.1, "opt.name": "adam"} and experiment.tags == ("group:g",)
        assert experiment.started_at <= experiment.completed_at < experiment.created_at
    assert "not carried: str word: is no number (400)" in result.output


def test_importing_again_adds_nothing(store: Path, run) -> None:
    assert run("import", "trackio", store).exit_code == 0
    again = run("import", "trackio", store / "digits.db")
    assert again.exit_code == 0 and "(0 new)" in again.output


def test_a_database_of_something_else_is_told_in_one_line(tmp_path: Path, run) -> None:
    (tmp_path / "x.db").write_bytes(b"no database")
    result = run("import", "trackio", tmp_path / "x.db")
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "is no SQLite database, as trackio would have written it" in result.output
