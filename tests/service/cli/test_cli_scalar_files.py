"""``tracker scalars export|import|maintain|stats|verify``."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

import tracker
from entrypoints.cli.progress import progress
from tests.scalar_batches import batch, bits, curve
from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import StepTags

pytestmark = pytest.mark.slow  # each opens a folder several times

ODD = [0x7FF8000000000000, 0x7FF8DEADBEEF0001, 0xFFF0000000000001, 0xFFF0000000000000, 0x8000000000000000, 1]


@pytest.fixture
def filled(family, tmp_path: Path) -> list[dict]:
    """Two experiments with what is hard to keep."""
    first, second = (ExperimentId(UUID(each["id"])) for each in family[:2])
    value = np.array(ODD, np.uint64).view(np.float64)
    tags = [
        StepTags(step=3, names=("loss",), tags=('a "quoted", tag', "ü")),
        StepTags(step=-1, names=(), tags=("b",)),
    ]
    with tracker.open(tmp_path / "data") as library:
        library.scalars.append(curve(value, run=first, name='odd,"name"\nof two lines'))
        library.scalars.append(
            batch(
                ("loss", 3, 30, 0.1),
                ("loss", -5, 2**62, 0.2),
                ("loss", 3, -(2**62), 0.3),
                run=first,
                tags=tags,
            )
        )
        library.scalars.append(curve(np.linspace(0, 1, 250_000), run=second))
    return family


def contents(folder: Path, project: str) -> dict[tuple[str, str], tuple]:
    """Everything in a project, by names."""
    with tracker.open(folder) as library:
        (found,) = library.projects.list(name=project)
        kept = {}
        for experiment in library.experiments.list(found.id):
            kept[experiment.name, "tags"] = library.scalars.tags(experiment.id)
            for row in library.scalars.summary(found.id, [experiment.id]):
                series = library.scalars.read(experiment.id, row.name)
                kept[experiment.name, row.name] = (
                    series.step.tolist(), series.time.tolist(), bits(series.value)
                )  # fmt: skip
        return kept


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.slow
def test_what_was_exported_is_imported_identical(run, ok, filled, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"digits.{kind}"
    assert run("scalars", "export", file, "--project", "digits").exit_code == 0
    ok("project", "create", "copy")
    for merge in ((), ("--merge",)):
        done = run("scalars", "import", file, "--project", "copy", *merge)
        assert (done.exit_code, done.output) == (0, "")
    data = tmp_path / "data"
    before, after = contents(data, "digits"), contents(data, "copy")
    assert {key: value for key, value in before.items() if value} == {
        key: value for key, value in after.items() if value
    }
    assert len(before["1_baseline", "loss"][0]) == 3 and len(before["2_from_1_wide", "loss"][0]) == 250_000
    refused = run("scalars", "import", file, "--project", "copy")
    assert refused.exit_code == 1 and "--merge" in refused.output


@pytest.mark.slow
def test_one_experiment_is_exported_as_rows_that_any_program_reads(run, filled, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    assert (
        run("scalars", "export", file, "--project", "digits", "--experiment", "2_from_1_wide").exit_code == 0
    )
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == 250_000
    assert rows[1] == {
        "experiment_id": filled[1]["id"], "experiment": "2_from_1_wide", "scalar": "loss", "step": "1",
        "time": "1000", "value": repr(1 / 249_999), "tags": "",
    }  # fmt: skip


def test_a_file_that_is_there_is_kept_unless_forced(run, filled, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("precious")
    refused = run("scalars", "export", file, "--project", "digits")
    assert refused.exit_code == 2 and "--force" in refused.output and file.read_text() == "precious"
    assert run("scalars", "export", file, "--project", "digits", "--force").exit_code == 0
    assert file.read_text() != "precious"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export", "x.csv"], 2, "--project"),
        (["export", "x.xls", "--project", "digits"], 2, ".parquet"),
        (["export", "no/such/folder/x.csv", "--project", "digits"], 3, "cannot be written"),
        (["export", "x.csv", "--project", "none"], 1, "not found"),
        (["import", "none.csv", "--project", "digits"], 2, "does not exist"),
        (["stats", "--url", "http://127.0.0.1:1"], 2, "--url"),
    ],
)
def test_what_cannot_be_done_is_said(run, digits, words: list[str], code: int, said: str) -> None:
    result = run("scalars", *words)
    assert result.exit_code == code and said in result.output
    assert not list(Path.cwd().glob("*.part"))


SOME = UUID(int=5)
HEAD = "experiment_id,experiment,scalar,step,time,value,tags\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must begin with the columns"),
        ("a,b\n", "must begin with the columns"),
        (HEAD + "no id,a,x,1,1,1,\n", "badly formed"),
        (HEAD + f"{SOME},a,x,one,1,1,\n", "one"),
        (HEAD + f"{SOME},a,x,{2**70},1,1,\n", "lines up to 2"),
        (HEAD + f"{SOME},a,x,1,1,much,\n", "much"),
        (HEAD + f"{SOME},a,x,1\n", "lines up to 2"),
        (HEAD + f"{SOME},a,,1,,,nonsense\n", "lines up to 2"),
        (HEAD + f'{SOME},a,,1,,,"{{""scalars"": 1}}"\n', "no tags"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_place(
    run, digits, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "x.csv").write_text(text)
    result = run("scalars", "import", tmp_path / "x.csv", "--project", "digits")
    assert result.exit_code == 1 and said in result.output


def test_bytes_that_are_no_parquet_are_refused(run, digits, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nonsense PAR1")
    result = run("scalars", "import", tmp_path / "x.parquet", "--project", "digits")
    assert result.exit_code == 1 and "no Parquet file" in result.output


def test_without_pyarrow_parquet_says_what_to_install(run, filled, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("scalars", "export", tmp_path / "x.parquet", "--project", "digits")
    assert result.exit_code == 3 and "tracker[parquet]" in result.output


def test_stats_tell_what_each_project_takes(run, ok, filled) -> None:
    (row,) = ok("scalars", "stats")
    assert (row["project"], row["experiments"], row["series"], row["points"]) == ("digits", 2, 3, 250_009)
    assert row["bytes"] > 0
    assert "250009" in run("scalars", "stats", "--project", "digits").output


def test_maintenance_leaves_nothing_uncompressed_and_changes_no_point(
    run, ok, filled, tmp_path: Path
) -> None:
    before = contents(tmp_path / "data", "digits")
    assert run("scalars", "maintain", "--seconds", "60").exit_code == 0
    assert ok("scalars", "stats")[0]["loose"] == 0
    assert contents(tmp_path / "data", "digits") == before


def test_verify_is_content_with_what_was_written_and_finds_what_was_not(
    run, ok, filled, tmp_path: Path
) -> None:
    run("scalars", "maintain", "--seconds", "60")
    assert ok("scalars", "verify") == []
    (file,) = (tmp_path / "data" / "scalars").glob("*.db")
    size = file.stat().st_size
    with file.open("r+b") as raw:
        for at in range(size // 2, size - 4096, 4096):
            raw.seek(at)
            raw.write(b"\xa5" * 64)
    damaged = run("scalars", "verify", "--json")
    assert damaged.exit_code in (1, 3) and damaged.exit_code != 0
    if damaged.exit_code == 1:
        assert json.loads(damaged.stdout)[0]["problem"]


def test_the_doctor_asks_the_scalars_service_that_is_set(run, digits, monkeypatch) -> None:
    monkeypatch.setenv("SCALARS_SERVICE_URL", "http://127.0.0.1:1")
    result = run("doctor")
    assert (
        result.exit_code == 3 and "the scalars service at http://127.0.0.1:1 does not answer" in result.output
    )


class Screen(io.StringIO):
    watched = False

    def isatty(self) -> bool:
        return self.watched


@pytest.mark.parametrize("watched", [True, False])
def test_a_bar_shows_only_where_somebody_watches(monkeypatch, watched: bool) -> None:
    screen = Screen()
    screen.watched = watched
    monkeypatch.setattr(sys, "stderr", screen)
    with progress("exporting", 10, "points") as advance:
        advance(4)
        advance(6)
    assert ("exporting" in screen.getvalue()) is watched and bool(screen.getvalue()) is watched
