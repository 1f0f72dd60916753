"""Event files of tensorboardX and of TensorBoard's own writer, against TensorBoard's own reader."""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tracker
from tests.importers.tools import bits, imported, needs, run_tool, series_of
from tracker.importers.tensorboard.crc32c import crc32c
from tracker.importers.tensorboard.source import TensorBoardSource
from tracker.importers.writing import Writer

ROOT = Path(__file__).parents[2]

WRITE_X = """
import numpy as np, tensorboardX
with tensorboardX.SummaryWriter("logs/exp/a") as w:
    for step in range(300):
        w.add_scalar("loss/train", 1 / (step + 1), step, walltime=1.7e9 + step / 3)
    for place, value in enumerate([float("nan"), float("inf"), -0.0, 1e-45, -float("inf")]):
        w.add_scalar("odd", value, place - 2, walltime=1.7e9)
    w.add_scalar("big step", 1.0, 2**40, walltime=1.7e9)
    w.add_histogram("weights", np.arange(10.0), 3)
    w.add_image("img", np.zeros((3, 4, 4), np.uint8), 3)
    w.add_text("note", "hello", 3)
    w.add_hparams({"lr": 0.1, "layers": 3, "act": "relu", "bn": True}, {"acc": 0.75}, name="trial")
with tensorboardX.SummaryWriter("logs/exp/a", filename_suffix=".2") as w:   # a second file of the same run
    w.add_scalar("loss/train", 7.0, 300, walltime=1.8e9)
"""

READ = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = {}
for run in sys.argv[1:] or ["logs/exp/a", "logs/exp/a/trial"]:
    acc = EventAccumulator(run, size_guidance={"scalars": 0, "tensors": 0}, purge_orphaned_data=PURGE)
    acc.Reload()
    tags = acc.Tags()
    found[run] = {tag: [[e.wall_time, e.step, e.value] for e in acc.Scalars(tag)] for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        if acc.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            from tensorboard.util.tensor_util import make_ndarray
            found[run][tag] = [
                [e.wall_time, e.step, float(make_ndarray(e.tensor_proto))] for e in acc.Tensors(tag)
            ]
print(json.dumps(found))
"""

WRITE_TB = """
import numpy as np
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.hparams import summary_v2 as hp, plugin_data_pb2, metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter("logs/tb")
def add(step, summary, at):
    writer.add_event(event_pb2.Event(wall_time=at, step=step, summary=summary))
for step in range(20):
    add(step, scalar_pb("loss", np.float32(1 / (step + 3))), 1.7e9 + step)
def tensor(dtype, **values):
    meta = summary_pb2.SummaryMetadata(data_class=summary_pb2.DATA_CLASS_SCALAR)
    meta.plugin_data.plugin_name = "scalars"
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(
        tag=f"t{dtype}", metadata=meta, tensor=tensor_pb2.TensorProto(dtype=dtype, **values))])
for step in range(2):
    add(step, tensor(types_pb2.DT_DOUBLE, double_val=[0.1 + step]), 1.7e9)
    add(step, tensor(types_pb2.DT_INT64, int64_val=[-5 - step]), 1.7e9)
    add(step, tensor(types_pb2.DT_HALF, half_val=[15360]), 1.7e9)
    add(step, tensor(types_pb2.DT_FLOAT, tensor_content=np.float32(0.3).tobytes()), 1.7e9)
add(0, hp.hparams_pb({"lr": 0.5, "opt": "adam"}, trial_id="x", start_time_secs=1.6e9), 1.6e9)
writer.close()
"""


def written_by_x(folder: Path) -> Path:
    run_tool(WRITE_X, folder)
    return folder / "logs"


def as_tensorboard_reads(folder: Path, *runs: str, purge: bool = False) -> dict[str, dict[str, list]]:
    script = f"import sys; sys.argv[1:] = {list(runs)!r}" + READ.replace("PURGE", str(purge))
    return json.loads(run_tool(script, folder))


@needs("tensorboardX", "tensorboard")
def test_what_tensorboardx_wrote_is_what_tensorboard_reads(tmp_path: Path, run, library) -> None:
    logs = written_by_x(tmp_path)
    result = run("import", "tensorboard", logs)
    assert result.exit_code == 0, result.output
    (project,) = library.projects.list()
    assert project.name == "logs"
    found = imported(library, "logs")
    assert set(found) == {"exp/a", "exp/a/trial"}
    told = as_tensorboard_reads(tmp_path)
    for name, experiment in found.items():
        wanted = told[f"logs/{name}"]
        mine = series_of(library, experiment)
        assert set(mine) == set(wanted)
        for tag, written in wanted.items():
            points = sorted(written, key=lambda point: point[1])
            steps, times, values = mine[tag]
            assert steps == [point[1] for point in points]
            assert times == [round(point[0] * 1e6) for point in points]
            assert values == bits([point[2] for point in points])
    trial = found["exp/a/trial"]
    assert dict(trial.params) == {"lr": 0.1, "layers": 3, "act": "relu", "bn": True}
    assert trial.parent_id == found["exp/a"].id and trial.status == "complete"
    first = found["exp/a"]
    assert first.started_at.timestamp() == 1.7e9 and first.completed_at.timestamp() == 1.8e9
    for kind in ("histogram weights", "image img", "text note"):
        assert f"not carried: {kind}" in result.output


@needs("tensorboard")
def test_tensors_of_every_type_are_widened_exactly(tmp_path: Path, run, library) -> None:
    run_tool(WRITE_TB, tmp_path)
    assert run("import", "tensorboard", tmp_path / "logs" / "tb", "--project", "p").exit_code == 0
    (experiment,) = imported(library, "p").values()
    found = series_of(library, experiment)
    assert found["loss"][2] == bits(np.float32(1) / np.arange(3, 23, dtype=np.float32))
    assert found["t2"][2] == bits([0.1, 1.1]) and found["t9"][2] == bits([-5, -6])
    assert found["t19"][2] == bits([1.0, 1.0]) and found["t1"][2] == bits(np.float32([0.3, 0.3]))
    assert dict(experiment.params) == {"lr": 0.5, "opt": "adam"}
    assert experiment.started_at.timestamp() == 1.6e9


@needs("tensorboardX")
def test_importing_again_adds_nothing_and_later_what_came_since(tmp_path: Path, run, library) -> None:
    logs = written_by_x(tmp_path)
    assert run("import", "tensorboard", logs).exit_code == 0
    before = {name: series_of(library, each) for name, each in imported(library, "logs").items()}
    again = run("import", "tensorboard", logs)
    assert again.exit_code == 0 and "(0 new)" in again.output
    assert {name: series_of(library, each) for name, each in imported(library, "logs").items()} == before
    run_tool(
        "import tensorboardX\n"
        "with tensorboardX.SummaryWriter('logs/exp/a', filename_suffix='.3') as w:\n"
        "    w.add_scalar('loss/train', 8.0, 5, walltime=1.9e9)",
        tmp_path,
    )
    later = run("import", "tensorboard", logs)
    assert later.exit_code == 0 and "(1 new)" in later.output
    steps, _, values = series_of(library, imported(library, "logs")["exp/a"])["loss/train"]
    assert len(steps) == 302 and values[6] == bits([8.0])[0]


@needs("tensorboardX", "tensorboard")
def test_points_before_a_restart_are_dropped_as_tensorboard_drops_them(tmp_path: Path, run, library) -> None:
    run_tool(
        """
import tensorboardX, time
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter
w = EventFileWriter("logs/r")
from tensorboard.plugins.scalar.summary import pb
def point(step, value):
    from tensorboard.compat.proto import summary_pb2
    s = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="loss", simple_value=value)])
    w.add_event(event_pb2.Event(wall_time=1.7e9 + step, step=step, summary=s))
for step in range(10): point(step, float(step))
start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
w.add_event(event_pb2.Event(wall_time=1.7e9, step=6, session_log=start))
for step in range(6, 8): point(step, -float(step))
w.close()
""",
        tmp_path,
    )
    result = run("import", "tensorboard", tmp_path / "logs")
    assert result.exit_code == 0 and "began again at an earlier step" in result.output
    wanted = as_tensorboard_reads(tmp_path, "logs/r", purge=True)["logs/r"]["loss"]
    steps, _, values = series_of(library, imported(library, "logs")["r"])["loss"]
    assert (steps, values) == ([point[1] for point in wanted], bits([point[2] for point in wanted]))
    assert len(steps) == 8


@needs("tensorboardX")
@pytest.mark.parametrize("cut", [1, 3, 11, 13, 30])
def test_a_torn_tail_is_told_and_comes_in_once_it_is_whole(tmp_path: Path, run, library, cut: int) -> None:
    run_tool(
        "import tensorboardX\n"
        "with tensorboardX.SummaryWriter('logs/r') as w:\n"
        "    for step in range(50): w.add_scalar('loss', step / 7, step)",
        tmp_path,
    )
    (file,) = (tmp_path / "logs" / "r").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-cut])
    torn = run("import", "tensorboard", tmp_path / "logs")
    assert torn.exit_code == 0 and "no whole record" in torn.output
    file.write_bytes(whole)
    assert "(1 new)" in run("import", "tensorboard", tmp_path / "logs").output
    assert series_of(library, imported(library, "logs")["r"])["loss"][2] == bits(
        (np.arange(50) / 7).astype(np.float32)
    )


@needs("tensorboardX")
def test_damage_is_passed_over_told_and_fails(tmp_path: Path, run, library) -> None:
    run_tool(
        "import tensorboardX\n"
        "with tensorboardX.SummaryWriter('logs/r') as w:\n"
        "    for step in range(50): w.add_scalar('loss', step / 7, step)",
        tmp_path,
    )
    (file,) = (tmp_path / "logs" / "r").iterdir()
    whole = bytearray(file.read_bytes())
    starts, at = [], 0
    while at < len(whole):
        starts.append(at)
        at += 12 + struct.unpack_from("<Q", whole, at)[0] + 4
    whole[starts[20] + 15] ^= 1
    file.write_bytes(whole)
    body = run("import", "tensorboard", tmp_path / "logs")
    assert body.exit_code == 1 and "DIFFERS: r: records of" in body.output
    kept = series_of(library, imported(library, "logs")["r"])["loss"][0]
    assert len(kept) == 49
    whole[starts[30]] ^= 1  # now a length too: nothing behind it can be found
    file.write_bytes(whole)
    head = run("import", "tensorboard", tmp_path / "logs", "--project", "other")
    assert head.exit_code == 1 and "a length is damaged" in head.output
    assert len(series_of(library, imported(library, "other")["r"])["loss"][0]) == 28


@needs("tensorboardX")
def test_following_takes_what_is_written_until_it_is_interrupted(tmp_path: Path, data: Path) -> None:
    writing = (
        "import tensorboardX, sys\n"
        "w = tensorboardX.SummaryWriter(sys.argv[1], flush_secs=1)\n"
        "for line in sys.stdin:\n"
        "    step = int(line)\n"
        "    w.add_scalar('loss', step / 3, step)\n"
        "    w.file_writer.flush()\n"
        "    print(step, flush=True)\n"
    )
    logs = tmp_path / "logs"
    logs.mkdir()
    words = [
        "-m",
        "tracker",
        "--data",
        str(data),
        "import",
        "tensorboard",
        str(logs),
        "--follow",
        "--every",
        "0.1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        tracker.open(data) as library,
        subprocess.Popen(
            [sys.executable, *words],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as follower,
        subprocess.Popen(
            [sys.executable, "-c", writing, str(logs / "r")],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as writer,
    ):
        assert "following" in follower.stderr.readline()  # before there is any file
        for step in range(5):
            writer.stdin.write(f"{step}\n")
            writer.stdin.flush()
            assert int(writer.stdout.readline()) == step
            wait_for(library, step + 1)
        assert imported(library, "logs")["r"].status == "running"
        writer.stdin.close()
        assert writer.wait(60) == 0
        follower.send_signal(signal.SIGINT)
        told, errors = follower.communicate(timeout=60)
        assert follower.returncode == 0, errors
        assert "5 points (0 new): read back, every bit" in told
        experiment = imported(library, "logs")["r"]
        assert experiment.status == "complete"
        assert series_of(library, experiment)["loss"][0] == list(range(5))


def wait_for(library: tracker.Tracker, points: int) -> None:
    for _ in range(600):
        found = library.projects.find("logs")
        rows = library.scalars.summary(found.id) if found else ()
        if rows and rows[0].count == points:
            return
        time.sleep(0.1)
    raise AssertionError(f"{points} points never came")


@needs("tensorboard")
def test_checksums_are_those_of_tensorboard(tmp_path: Path) -> None:
    pieces = [bytes((n * 7 + k) % 256 for k in range(n)) for n in [*range(40), 255, 2047, 2048, 2049, 70_000]]
    told = run_tool(
        "import json\n"
        "from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c\n"
        f"pieces = [bytes((n * 7 + k) % 256 for k in range(n)) for n in {[len(p) for p in pieces]}]\n"
        "print(json.dumps([masked_crc32c(piece) for piece in pieces]))",
        tmp_path,
    )
    assert crc32c(pieces).tolist() == json.loads(told)


def test_a_folder_without_events_is_told_in_one_line(tmp_path: Path, run) -> None:
    (tmp_path / "logs").mkdir()
    result = run("import", "tensorboard", tmp_path / "logs")
    assert result.exit_code == 1
    assert result.output.startswith("tracker: ") and result.output.count("\n") == 1
    assert "has no event files" in result.output


@needs("tensorboardX")
def test_the_report_has_a_checksum_for_each_series(tmp_path: Path, run) -> None:
    logs = written_by_x(tmp_path)
    report = json.loads(run("import", "tensorboard", logs, "--json").output)
    assert report["same"] is True
    checks = {check["name"]: check for run in report["experiments"] for check in run["series"]}
    assert checks["loss/train"]["points"] == 301
    assert checks["loss/train"]["checksum"] == checks["loss/train"]["kept"] != checks["odd"]["kept"]


@needs("tensorboardX")
def test_a_point_that_was_lost_here_is_noticed(tmp_path: Path, library) -> None:
    logs = written_by_x(tmp_path)

    class Forgetful(Writer):
        """Loses the first point of each series on the way."""

        def _pieces(self, found, run):
            for piece in super()._pieces(found, run):
                yield type(piece)(piece.name, piece.points.rest(1), piece.behind)

    report = Forgetful(library, "tensorboard").take_all(TensorBoardSource(logs))
    assert not report.is_faithful
    assert any(
        "loss/train: 300 points here, 301 in the source" in problem for problem in report.runs[0].problems
    )
