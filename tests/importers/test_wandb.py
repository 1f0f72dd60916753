"""Offline runs that wandb itself wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.importers.tools import bits, imported, needs, run_tool, series_of

pytestmark = needs("wandb")

OFFLINE = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": "."}

WRITE = """
import json, os, wandb
run = wandb.init(
    project="digits", name="fox", id="abc123", group="g1", job_type="train", tags=["a", "b"],
    notes="two\\nlines",
    config={"lr": 0.1, "layers": [1, 2], "opt": {"name": "adam", "eps": 1e-8}, "none": None,
            "nan": float("nan")},
)
logged = {}
for step in range(3000):
    odd = [float("nan"), float("inf"), -0.0][step % 3]
    row = {"loss": 1 / (step + 3), "val": {"acc": step * 0.1}, "odd": odd}
    run.log({**row, **({"hist": wandb.Histogram([1, 2, 3]), "word": "hello"} if step < 2 else {})})
run.log({"late": 5}, step=9000)
run.config.update({"added": True})
run.summary["best"] = 0.25
open("weights.bin", "wb").write(b"x" * 10)
run.save("weights.bin", policy="now")
run.finish(exit_code=EXIT)
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wandb")
    run_tool(WRITE.replace("EXIT", "0"), folder, **OFFLINE)
    return folder / "wandb"


@pytest.fixture
def offline(written: Path, tmp_path: Path) -> Path:
    """The folder that wandb wrote, for this test alone."""
    return Path(shutil.copytree(written, tmp_path / "wandb", symlinks=True))


def test_history_config_summary_and_the_rest(offline: Path, run, library) -> None:
    result = run("import", "wandb", offline)
    assert result.exit_code == 0, result.output
    experiment = imported(library, "digits")["fox"]
    found = series_of(library, experiment)
    assert found["loss"][0] == list(range(3000))
    assert found["loss"][2] == bits([1 / (step + 3) for step in range(3000)])
    assert found["val.acc"][2] == bits([step * 0.1 for step in range(3000)])
    odd = found["odd"][2]
    assert odd[:3] == bits([float("nan"), float("inf"), -0.0]) and len(odd) == 3000
    assert found["late"] == ([9000], found["late"][1], bits([5]))
    assert all(1.7e15 < at < 4e15 for at in found["loss"][1])
    assert dict(experiment.params) == {
        "lr": 0.1, "layers": "[1, 2]", "opt.name": "adam", "opt.eps": 1e-8, "none": None, "nan": None,
        "added": True,
    }  # fmt: skip
    assert set(experiment.tags) == {"a", "b", "group:g1", "job_type:train"}
    assert experiment.description == "two\nlines" and experiment.status == "complete"
    assert experiment.started_at <= experiment.completed_at < experiment.created_at
    metrics = {metric.name: metric.value for metric in library.metrics.list(experiment.id)}
    assert metrics["best"] == 0.25 and metrics["loss"] == 1 / 3002
    (weights,) = library.artifacts.list(experiment.id, name="weights.bin")
    assert library.artifacts.read(weights) == b"x" * 10
    for told in ("histogram hist: is no number (2)", "str word"):
        assert f"not carried: {told}" in result.output


def test_importing_again_adds_nothing(offline: Path, run, library) -> None:
    run("import", "wandb", offline)
    (path,) = offline.glob("offline-run-*/run-abc123.wandb")
    again = run("import", "wandb", path)
    assert again.exit_code == 0 and "(0 new)" in again.output
    assert len(imported(library, "digits")) == 1


def test_files_may_stay_where_they_are(offline: Path, run, library) -> None:
    result = run("import", "wandb", offline, "--no-files")
    assert (
        result.exit_code == 0 and "not carried: file weights.bin: is left out by --no-files" in result.output
    )
    assert library.artifacts.list(imported(library, "digits")["fox"].id) == ()


def test_a_failed_run_is_failed(tmp_path: Path, run, library) -> None:
    run_tool(WRITE.replace("EXIT", "3").replace("3000", "30"), tmp_path, **OFFLINE)
    assert run("import", "wandb", tmp_path).exit_code == 0
    assert imported(library, "digits")["fox"].status == "failed"


def test_a_run_that_was_killed_is_failed_and_keeps_what_is_whole(offline: Path, run, library) -> None:
    (path,) = offline.glob("offline-run-*/run-abc123.wandb")
    path.write_bytes(path.read_bytes()[:200_001])
    result = run("import", "wandb", offline)
    assert result.exit_code == 0 and "exit code: is not there" in result.output
    experiment = imported(library, "digits")["fox"]
    assert experiment.status == "failed"
    loss = series_of(library, experiment)["loss"][2]
    assert 100 < len(loss) < 3000 and loss == bits([1 / (step + 3) for step in range(len(loss))])


def test_damage_is_told_and_fails(offline: Path, run) -> None:
    (path,) = offline.glob("offline-run-*/run-abc123.wandb")
    damaged = bytearray(path.read_bytes())
    damaged[100_000] ^= 1
    path.write_bytes(damaged)
    result = run("import", "wandb", offline)
    assert result.exit_code == 1 and "do not fit their checksum" in result.output


def test_a_file_of_something_else_is_told_in_one_line(tmp_path: Path, run) -> None:
    (tmp_path / "run-x.wandb").write_bytes(b"no log at all")
    result = run("import", "wandb", tmp_path / "run-x.wandb")
    assert result.exit_code == 1 and result.output.count("\n") == 1 and "is no .wandb file" in result.output


def test_the_report_in_json_has_what_was_left_out(offline: Path, run) -> None:
    report = json.loads(run("import", "wandb", offline, "--json").output)
    assert (
        report["same"]
        and {"what": "str word", "why": "is no number", "count": 2, "damaged": False}
        in (report["experiments"][0]["left_out"])
    )
