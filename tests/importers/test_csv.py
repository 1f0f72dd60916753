"""CSV files as people and tools write them."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracker
from tests.e2e.conftest import databases, server  # noqa: F401  (fixtures)
from tests.importers.tools import bits, imported, series_of
from tracker.importers.csv_tables import CsvColumns, CsvSource
from tracker.importers.missing import missing
from tracker.importers.records import Points
from tracker.importers.writing import Writer

ROOT = Path(__file__).parents[2]

WIDE = "step,loss,acc\n0,0.5,\n1,0.25,0.1\n2,nan,0.2\n"
LONG = """\
run,name,step,value,time
a,loss,0,0.5,1700000000.25
b,loss,0,1e-300,1700000001
a,loss,1,-inf,1700000002
"""


def test_a_column_is_a_metric(tmp_path: Path, run, library) -> None:
    (tmp_path / "train.csv").write_text(WIDE)
    result = run("import", "csv", tmp_path / "train.csv")
    assert result.exit_code == 0 and "not carried: cells: are empty" in result.output
    found = series_of(library, imported(library, "train")["train"])
    assert found["loss"] == ([0, 1, 2], [0, 0, 0], bits([0.5, 0.25, math.nan]))
    assert found["acc"] == ([1, 2], [0, 0], bits([0.1, 0.2]))


def test_a_row_is_a_point(tmp_path: Path, run, library) -> None:
    (tmp_path / "runs.csv").write_text(LONG)
    assert run("import", "csv", tmp_path / "runs.csv", "--project", "p").exit_code == 0
    found = imported(library, "p")
    times = [1_700_000_000_250_000, 1_700_000_002_000_000]
    assert series_of(library, found["a"]) == {"loss": ([0, 1], times, bits([0.5, -math.inf]))}
    assert series_of(library, found["b"])["loss"][2] == bits([1e-300])
    assert found["a"].started_at.timestamp() == 1_700_000_000.25


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_columns_may_have_other_names_and_delimiters(tmp_path: Path, run, library, delimiter: str) -> None:
    rows = [["it", "model", "when", "loss"], ["3", "m", "2024-01-02T03:04:05Z", "0.5"]]
    with (tmp_path / "x.csv").open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    words = ["--step", "it", "--run", "model", "--time", "when"]
    assert run("import", "csv", tmp_path / "x.csv", *words).exit_code == 0
    (experiment,) = imported(library, "x").values()
    assert (experiment.name, series_of(library, experiment)["loss"][0]) == ("m", [3])


def test_every_file_of_a_folder_is_a_run(tmp_path: Path, run, library) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(WIDE)
    assert run("import", "csv", folder).exit_code == 0
    assert set(imported(library, "sweep")) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("step,loss\n0,0.5\n1,oops\n", [], "line 3: column loss: 'oops' is no number"),
        ("step,loss\n0,0.5\n1.5,1\n", [], "line 3: column step: '1.5' is no whole number"),
        ("step,loss\n0,0.5\n1\n", [], "line 3: has 1 cells, and the first line 2"),
        (
            "step,loss\n99999999999999999999,1\n",
            [],
            "line 2: column step: '99999999999999999999' does not fit",
        ),
        ("a,b\n1,2\n", [], "no column of x.csv is called step"),
        ("a,b\n1,2\n", ["--step", "c"], "x.csv has no column 'c'; it has a, b"),
        ("step,loss,loss\n1,2,3\n", [], "line 1: two columns are called 'loss'"),
        ("step\n1\n", [], "line 1: no column is left to be a metric"),
        ("step,time,loss\n1,yesterday,3\n", [], "line 2: column time: 'yesterday' is neither seconds"),
        ('step,loss\n1,"2\n', [], "x.csv, line"),
        ("", [], "is empty"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_column(tmp_path: Path, run, text: str, words, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    result = run("import", "csv", tmp_path / "x.csv", *words)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert said in result.output


def test_bytes_that_are_no_text_are_told(tmp_path: Path, run) -> None:
    (tmp_path / "x.csv").write_bytes(b"step,loss\n0,\xff\xfe\n")
    result = run("import", "csv", tmp_path / "x.csv")
    assert result.exit_code == 1 and result.output.count("\n") == 1


def test_names_that_do_not_fit_are_cut_and_told(tmp_path: Path, run, library) -> None:
    long = ["m" * 300 + end for end in "ab"]
    (tmp_path / "x.csv").write_text(f"step,{','.join(long)}\n0,1,2\n")
    assert run("import", "csv", tmp_path / "x.csv").exit_code == 0
    found = series_of(library, imported(library, "x")["x"])
    assert len(found) == 2 and all(len(name) == 255 for name in found)


def test_a_name_with_a_place_for_a_number_stays_as_it_is(tmp_path: Path, run, library) -> None:
    (tmp_path / "x.csv").write_text("run,step,loss\n{num}_from_1_x,0,1\n")
    assert run("import", "csv", tmp_path / "x.csv").exit_code == 0
    assert set(imported(library, "x")) == {"{num}_from_1_x"}


@pytest.mark.slow
def test_an_import_that_is_killed_and_started_again_is_whole(tmp_path: Path, data: Path) -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((120_000, 4))
    lines = [f"{step},{','.join(map(repr, row))}" for step, row in enumerate(rows.tolist())]
    (tmp_path / "big.csv").write_text("step,a,b,c,d\n" + "\n".join(lines) + "\n")
    words = [
        sys.executable,
        "-m",
        "tracker",
        "--data",
        str(data),
        "import",
        "csv",
        str(tmp_path / "big.csv"),
        "--json",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    tracker.open(data).close()
    for pause in (0.0, 0.1):
        before = points_in(data)
        with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None and points_in(data) == before:
                time.sleep(0.01)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(words, env=environment, check=False, capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["same"]
    with tracker.open(data) as library:
        found = series_of(library, imported(library, "big")["big"])
    for name, column in zip("abcd", rows.T, strict=True):
        assert found[name][2] == bits(column)


def points_in(data: Path) -> int:
    with tracker.open(data) as library:
        return sum(
            row.count for project in library.projects.list() for row in library.scalars.summary(project.id)
        )


def test_an_import_goes_into_a_server_too(tmp_path: Path, server) -> None:  # noqa: F811
    (tmp_path / "runs.csv").write_text(LONG)
    source = CsvSource(tmp_path / "runs.csv", CsvColumns())
    with tracker.open(url=server.url) as library:
        for added in (3, 0):
            report = Writer(library, "csv", project="from csv").take_all(source)
            assert report.is_faithful and sum(each.added for each in report.runs) == added


rows = st.lists(
    st.tuples(st.integers(-2, 2), st.integers(0, 2), st.sampled_from([0.0, -0.0, 1.5, math.nan])), max_size=20
)


@given(source=rows, data=st.data())
def test_what_is_missing_and_what_is_there_make_up_the_source(source: list, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(source), max_size=len(source)))
    present = [row for row, keep in zip(source, kept, strict=True) if keep]
    whole, here = (
        Points.of(*zip(*rows, strict=True)) if rows else Points.of([], [], []) for rows in (source, present)
    )
    lacking = missing(whole, here.sorted())
    assert sorted(told(lacking) + told(here)) == sorted(told(whole))
    if all(kept[: sum(kept)]):  # what an import that was killed leaves
        assert told(lacking) == told(whole)[len(present) :]


def told(points: Points) -> list[tuple[int, int, int]]:
    return list(zip(points.step.tolist(), points.time.tolist(), bits(points.value), strict=True))
