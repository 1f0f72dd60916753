"""Stores that MLflow itself wrote: files and SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers.tools import bits, imported, needs, run_tool, series_of

pytestmark = needs("mlflow")

WRITE = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("digits")
with mlflow.start_run(run_name="parent", description="why: a note") as run:
    mlflow.log_params({"lr": 0.1, "opt/name": "adam"})
    mlflow.set_tags({"team": "vision", "long": "x" * 200})
    for step in range(100):
        mlflow.log_metric("loss", 1 / (step + 3), step=step, timestamp=1_700_000_000_000 + step)
    for step in (5, 5, -1, 3):
        mlflow.log_metric("val/odd", step * 0.1, step=step, timestamp=1_700_000_000_000 - step)
    mlflow.log_metric("nan", float("nan"), step=1, timestamp=1_700_000_000_000)
    mlflow.log_text("hello", "texts/a.txt")
    with mlflow.start_run(run_name="child: 'a' \\"b\\" #c", nested=True):
        mlflow.log_metric("acc", 0.5)
try:
    with mlflow.start_run(run_name="broken"):
        raise ZeroDivisionError
except ZeroDivisionError:
    pass
with mlflow.start_run(run_name="gone") as gone:
    pass
mlflow.delete_run(gone.info.run_id)
"""


@pytest.fixture(params=["files", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    place = tmp_path / ("mlruns" if request.param == "files" else "mlflow.db")
    uri = f"file://{place}" if request.param == "files" else f"sqlite:///{place}"
    run_tool(f"import sys; sys.argv[1:] = [{uri!r}]\n{WRITE}", tmp_path, MLFLOW_ALLOW_FILE_STORE="true")
    return place


def test_runs_of_either_store(store: Path, run, library) -> None:
    result = run("import", "mlflow", store)
    assert result.exit_code == 0, result.output
    found = imported(library, "digits")
    assert set(found) == {"parent", "child: 'a' \"b\" #c", "broken"}
    parent, child = found["parent"], found["child: 'a' \"b\" #c"]
    assert child.parent_id == parent.id and parent.parent_id is None
    assert (parent.status, child.status, found["broken"].status) == ("complete", "complete", "failed")
    assert dict(parent.params) == {"lr": "0.1", "opt/name": "adam"}
    assert parent.description == "why: a note" and "team=vision" in parent.tags
    assert parent.features["mlflow"]["tags"] == {"long": "x" * 200}
    series = series_of(library, parent)
    assert series["loss"] == (
        list(range(100)),
        [(1_700_000_000_000 + step) * 1000 for step in range(100)],
        bits([1 / (step + 3) for step in range(100)]),
    )
    # The database keeps equal points once, the files keep both.
    assert series["val/odd"][0] == ([-1, 3, 5, 5] if store.is_dir() else [-1, 3, 5])
    assert series["nan"][2] == bits([float("nan")])
    metrics = {metric.name: metric.value for metric in library.metrics.list(parent.id)}
    assert metrics == {"loss": 1 / 102, "val/odd": 0.5}
    assert parent.started_at < parent.completed_at < parent.created_at
    (text,) = library.artifacts.list(parent.id)
    assert (text.name, text.media_type, library.artifacts.read(text)) == (
        "texts/a.txt",
        "text/plain",
        b"hello",
    )
    assert "not carried: final value nan" in result.output


def test_importing_again_adds_nothing_and_later_what_came_since(store: Path, run, library, tmp_path) -> None:
    assert run("import", "mlflow", store).exit_code == 0
    again = run("import", "mlflow", store)
    assert again.exit_code == 0 and "(0 new)" in again.output
    uri = f"file://{store}" if store.is_dir() else f"sqlite:///{store}"
    run_tool(
        f"import mlflow; mlflow.set_tracking_uri({uri!r}); mlflow.set_experiment('digits')\n"
        "name = \"attributes.run_name = 'parent'\"\n"
        "run = mlflow.search_runs(filter_string=name, output_format='list')[0]\n"
        "with mlflow.start_run(run.info.run_id): mlflow.log_metric('loss', 9.0, step=100)",
        tmp_path,
        MLFLOW_ALLOW_FILE_STORE="true",
    )
    later = run("import", "mlflow", store)
    assert later.exit_code == 0 and "(1 new)" in later.output
    assert series_of(library, imported(library, "digits")["parent"])["loss"][2][-1:] == bits([9.0])


def test_the_folder_that_has_the_store_will_do(store: Path, run, library) -> None:
    assert run("import", "mlflow", store.parent, "--project", "mine").exit_code == 0
    assert len(imported(library, "mine")) == 3


def test_of_two_stores_one_has_to_be_named(tmp_path: Path, run) -> None:
    (tmp_path / "mlflow.db").touch()
    (tmp_path / "mlruns" / "0").mkdir(parents=True)
    (tmp_path / "mlruns" / "0" / "meta.yaml").touch()
    result = run("import", "mlflow", tmp_path)
    assert result.exit_code == 1 and "name one of them" in result.output and result.output.count("\n") == 1


def test_infinities_that_mlflow_clipped_are_told(tmp_path: Path, run, library) -> None:
    run_tool(
        f"import mlflow; mlflow.set_tracking_uri('sqlite:///{tmp_path}/mlflow.db')\n"
        "with mlflow.start_run(run_name='r'): mlflow.log_metric('x', float('-inf'))",
        tmp_path,
    )
    result = run("import", "mlflow", tmp_path / "mlflow.db")
    assert result.exit_code == 0 and "MLflow keeps both as" in result.output
    assert series_of(library, imported(library, "Default")["r"])["x"][2] == bits([-1.7976931348623157e308])
