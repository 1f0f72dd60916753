from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker
from tracker.integrations.tensorboard import intercept

torch = pytest.importorskip("torch", reason="needs the dependency group integrations")
tensorboardx = pytest.importorskip("tensorboardX", reason="needs the dependency group integrations")
pytest.importorskip("tensorboard", reason="needs the dependency group integrations")

import numpy as np  # noqa: E402
from torch.utils.tensorboard import SummaryWriter  # noqa: E402


def all_kinds(writer: Any) -> None:
    for step in range(3):
        writer.add_scalar("loss", torch.tensor(1.0 / (step + 1)), step)
        writer.add_scalars("acc", {"train": 0.5 + step, "val": 0.25 + step}, step)
    writer.add_scalar("free", 1.0)
    writer.add_scalar("free", 2.0)
    writer.add_hparams({"lr": 0.1, "kind": "adam", "bias": True}, {"hparam/acc": 0.9})
    writer.add_text("said", "hello", 1)
    writer.add_image("picture", np.zeros((3, 4, 5), "uint8"), 2)
    writer.add_histogram("weights", torch.linspace(0, 1, 100), 2)
    writer.close()


@pytest.mark.parametrize("kind", [SummaryWriter, tensorboardx.SummaryWriter], ids=["torch", "tensorboardX"])
def test_what_a_writer_is_told_is_in_the_run_and_in_its_files(kind: Any, tmp_path: Path, kept: Any) -> None:
    with tracker.init("p") as run, intercept(run):
        all_kinds(kind(str(tmp_path / "logs")))
    found = kept.only()
    assert kept.curve(found, "loss") == [(0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3))]
    assert kept.curve(found, "acc/val") == [(0, 0.25), (1, 1.25), (2, 2.25)]
    assert kept.curve(found, "free") == [(0, 1.0), (1, 2.0)]
    assert (found.params["lr"], found.params["kind"], found.params["bias"]) == (0.1, "adam", True)
    assert kept.metrics(found) == {"hparam/acc": 0.9}
    assert kept.names(found) == {"loss", "acc/train", "acc/val", "free"}
    assert {"said.txt", "picture.png", "weights.json"} <= set(kept.artifacts(found))
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))


def test_writers_of_several_folders_do_not_mix_their_curves(tmp_path: Path, kept: Any) -> None:
    with intercept(project="p"):
        for split, value in (("train", 1.0), ("val", 2.0)):
            with SummaryWriter(str(tmp_path / split)) as writer:
                writer.add_scalar("loss", value, 0)
    found = kept.only()
    assert kept.curve(found, "train/loss") == [(0, 1.0)]
    assert kept.curve(found, "val/loss") == [(0, 2.0)]
    assert found.status == "complete"


def test_tensorboards_own_writer_is_heard(tmp_path: Path, kept: Any) -> None:
    from tensorboard.summary import Writer
    from tensorboard.summary._output import DirectoryOutput

    with intercept(project="p"):
        Writer(DirectoryOutput(str(tmp_path / "logs"))).add_scalar("loss", 0.5, 7)
    assert kept.curve(kept.only(), "loss") == [(7, 0.5)]


def test_once_closed_writers_are_as_they_were(tmp_path: Path, kept: Any) -> None:
    before = SummaryWriter.add_scalar
    with SummaryWriter(str(tmp_path / "logs")) as writer:
        outer = intercept(project="p")
        with intercept(project="q"):
            writer.add_scalar("loss", 1.0, 0)
        writer.add_scalar("loss", 2.0, 1)
        outer.close()
        outer.close()
        writer.add_scalar("loss", 3.0, 2)
    assert SummaryWriter.add_scalar is before
    assert kept.curve(kept.only("p"), "loss") == [(0, 1.0), (1, 2.0)]
    assert kept.curve(kept.only("q"), "loss") == [(0, 1.0)]


def test_an_error_of_the_writer_reaches_the_script_and_ours_do_not(
    tmp_path: Path, data: Path, complaints: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **options: Any) -> None:
        raise RuntimeError("no room")

    with tracker.init("p") as run, intercept(run), SummaryWriter(str(tmp_path / "logs")) as writer:
        with pytest.raises(TypeError):
            writer.add_hparams([1], {})
        monkeypatch.setattr("tracker.run.run.Run.log", fails)
        writer.add_scalar("loss", 1.0, 0)
    assert any("no room" in text for text in complaints.take())


SCRIPT = """
import sys
from tracker.integrations.tensorboard import intercept
with intercept(project="p"):
    assert "{module}" not in sys.modules
    from {module} import SummaryWriter
    with SummaryWriter("logs") as writer:
        writer.add_scalar("loss", 0.5, 3)
"""


@pytest.mark.parametrize("module", ["torch.utils.tensorboard", "tensorboardX"])
def test_a_writer_that_is_imported_later_is_heard_too(module: str, tmp_path: Path, kept: Any) -> None:
    subprocess.run(
        [sys.executable, "-c", SCRIPT.format(module=module)], cwd=tmp_path, check=True, timeout=120
    )
    assert kept.curve(kept.only(), "loss") == [(3, 0.5)]


UNKNOWING = """
from tensorboardX import SummaryWriter
with SummaryWriter("logs") as writer:
    writer.add_scalar("loss", 0.5, 3)
"""


def test_a_script_under_tracker_run_is_intercepted_without_knowing(tmp_path: Path, kept: Any) -> None:
    (tmp_path / "train.py").write_text(UNKNOWING)
    command = ["run", "-p", "p", "--intercept", "tensorboard", "train.py", "--", "--lr", "0.1"]
    subprocess.run([sys.executable, "-m", "tracker", *command], cwd=tmp_path, check=True, timeout=120)
    run = kept.only()
    assert kept.curve(run, "loss") == [(3, 0.5)]
    assert run.params["lr"] == 0.1
    assert run.status == "complete"
