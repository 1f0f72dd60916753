"""A module shaped like wandb: its common calls, over a folder of the test's own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracker
import tracker.compat.wandb as wandb
from tests.e2e.processes import clean_environment
from tracker.compat import wandb_errors

pytestmark = pytest.mark.slow  # many run a script


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TRACKER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/data/tracker.db")
    monkeypatch.setenv("TRACKER_SILENT", "1")
    monkeypatch.setenv("TRACKER_CAPTURE", "0")
    monkeypatch.delenv("TRACKER_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(wandb_errors, "_told", set())
    yield tmp_path
    wandb.finish()


@pytest.fixture
def library(folder: Path) -> Iterator[Any]:
    with tracker.open(folder / "data") as opened:
        yield opened


def only(library: Any, project: str = "p") -> Any:
    (home,) = library.projects.list(name=project)
    (experiment,) = library.experiments.list(home.id)
    return experiment


def curve(library: Any, name: str) -> list[tuple[int, float]]:
    series = library.scalars.read(only(library).id, name)
    return list(zip(series.step.tolist(), series.value.tolist(), strict=True))


def metrics(library: Any) -> dict[str, float]:
    return {metric.name: metric.value for metric in library.metrics.list(only(library).id)}


def test_a_plain_script_is_tracked(library: Any) -> None:
    wandb.init(
        project="p", name="first", tags=["a"], notes="why", config={"lr": 0.1, "opt": {"kind": "adam"}}
    )
    for epoch in range(3):
        wandb.log({"loss": 1.0 / (epoch + 1), "epoch": epoch})
    wandb.summary["best"] = 0.25
    wandb.finish()
    run = only(library)
    assert (run.name, run.tags, run.description, run.status) == ("first", ("a",), "why", "complete")
    assert dict(run.params) == {"lr": 0.1, "opt.kind": "adam"}
    assert curve(library, "loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert metrics(library) == {"loss": 1 / 3, "epoch": 2, "best": 0.25}


def test_a_step_is_over_when_it_is_committed_or_a_later_one_begins(library: Any) -> None:
    with wandb.init(project="p") as run:
        run.log({"a": 1}, commit=False)
        run.log({"b": 2})
        assert run.step == 1
        run.log({"a": 3}, step=5)
        assert run.step == 5
        run.log({"b": 4}, step=5)
        run.log({"c": 5}, step=5, commit=True)
        assert run.step == 6
        with pytest.warns(tracker.TrackerWarning, match="step 2 lies behind the current one, 6"):
            run.log({"a": 9}, step=2)
        run.log({"a": {"x": 1}})
    assert curve(library, "a") == [(0, 1), (5, 3)]
    assert curve(library, "b") == [(0, 2), (5, 4)]
    assert curve(library, "c") == [(5, 5)]
    assert curve(library, "a.x") == [(6, 1)]


def test_the_configuration_changes_only_when_that_is_said(library: Any) -> None:
    run = wandb.init(project="p", config={"lr": 0.1})
    wandb.config.depth = 3
    wandb.config["width"] = 64
    wandb.config.update({"kind": "a"})
    run.config.setdefaults({"lr": 5, "seed": 1})
    assert (wandb.config.lr, wandb.config["depth"], wandb.config.get("none", 0)) == (0.1, 3, 0)
    assert "width" in wandb.config
    assert dict(wandb.config) == {"lr": 0.1, "depth": 3, "width": 64, "kind": "a", "seed": 1}
    with pytest.raises(wandb.errors.ConfigError, match=r'change value of key "lr" from 0.1 to 0.2'):
        wandb.config.lr = 0.2
    wandb.config.update({"lr": 0.2}, allow_val_change=True)
    wandb.finish()
    assert dict(only(library).params) == {"lr": 0.2, "depth": 3, "width": 64, "kind": "a", "seed": 1}


def test_a_definition_says_what_the_summary_is_and_adds_the_axis(library: Any) -> None:
    with wandb.init(project="p") as run:
        run.define_metric("epoch")
        run.define_metric("val/*", step_metric="epoch", summary="min,max")
        run.define_metric("acc", summary="best", goal="maximize")
        run.define_metric("hidden", summary="none")
        run.log({"epoch": 0, "val/loss": 3.0, "acc": 0.5, "hidden": 1})
        run.log({"val/loss": 1.0, "acc": 0.9})
        run.log({"epoch": 1, "val/loss": 2.0, "acc": 0.7})
        assert run.summary["val/loss.min"] == 1.0
        with pytest.raises(wandb.UsageError, match="summary op: median"):
            run.define_metric("x", summary="median")
    assert curve(library, "epoch") == [(0, 0), (1, 0), (2, 1)]
    found = metrics(library)
    assert found == {"epoch": 1, "val/loss.min": 1.0, "val/loss.max": 3.0, "acc.best": 0.9}


def test_an_explicit_summary_stays_until_its_name_is_logged_again(library: Any) -> None:
    with wandb.init(project="p") as run:
        run.log({"acc": 0.5, "loss": 2.0})
        run.summary["acc"] = 0.99
        run.summary["loss"] = 1.5
        run.summary.update({"note": "good", "n": np.float32(2)})
        assert (run.summary.acc, run.summary["loss"], run.summary["note"]) == (0.99, 1.5, "good")
        run.log({"loss": 1.0, "bad": float("nan")})
    assert metrics(library) == {"acc": 0.99, "loss": 1.0, "n": 2}


def test_media_are_artifacts_of_their_step(library: Any, folder: Path) -> None:
    (folder / "page.html").write_text("<b>x</b>")
    with wandb.init(project="p") as run:
        table = wandb.Table(columns=["a", "b"], data=[[1, "x"]])
        table.add_data(2, "y")
        run.log({"picture": wandb.Image(np.zeros((4, 5, 3), "uint8"), caption="black"), "loss": 1.0})
        run.log({"table": table, "spread": wandb.Histogram([1, 2, 2, 3])})
        run.log(
            {
                "sound": wandb.Audio(np.zeros(100, "float32"), sample_rate=8000),
                "page": wandb.Html("page.html"),
            }
        )
        run.log({"pictures": [wandb.Image(np.zeros((2, 2), "uint8")) for _ in range(2)], "said": "hello"})
    found = {artifact.name: artifact for artifact in library.artifacts.list(only(library).id)}
    kinds = {name: artifact.kind for name, artifact in found.items()}
    assert kinds == {
        "picture.png": "image", "table.jsonl": "table", "spread.json": "histogram", "sound.wav": "audio",
        "page.txt": "text", "pictures/0.png": "image", "pictures/1.png": "image", "said.txt": "text",
    }  # fmt: skip
    assert found["table.jsonl"].step == 1
    assert library.artifacts.read(found["page.txt"]) == b"<b>x</b>"


def test_files_and_artifacts_are_kept(library: Any, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out/model.bin").write_bytes(b"one")
    with wandb.init(project="p") as run:
        assert run.save("out/*.bin", policy="now") == ["out/model.bin"]
        run.save("out/model.bin", base_path=".", policy="end")
        artifact = wandb.Artifact("data", type="dataset", metadata={"rows": 3})
        artifact.add_dir("out")
        with artifact.new_file("more/notes.txt", mode="w") as file:
            file.write("hi")
        run.log_artifact(artifact, aliases=["latest"])
        (folder / "out/model.bin").write_bytes(b"two")
    found = {artifact.name: artifact for artifact in library.artifacts.list(only(library).id)}
    assert library.artifacts.read(found["model.bin"]) == b"one"
    assert library.artifacts.read(found["out/model.bin"]) == b"two"
    assert found["data/model.bin"].kind == "dataset"
    assert library.artifacts.read(found["data/more/notes.txt"]) == b"hi"
    assert b'"rows": 3' in library.artifacts.read(found["data/artifact.json"])
    with pytest.raises(ValueError, match="inside of the artifact"):
        wandb.Artifact("x", type="y").add_file(folder / "out/model.bin", name="../up")


def test_before_init_calls_say_so() -> None:
    assert wandb.run is None
    for call in (
        lambda: wandb.log({"a": 1}),
        lambda: wandb.config.lr,
        lambda: wandb.config.update({"a": 1}),
        lambda: wandb.summary["a"],
        lambda: wandb.save("x"),
    ):
        with pytest.raises(wandb.Error, match=r"You must call wandb.init\(\) before"):
            call()


def test_what_is_not_carried_is_refused_with_the_way_instead() -> None:
    for call in (wandb.sweep, wandb.agent, wandb.Api, wandb.use_artifact, wandb.restore):
        with pytest.raises(
            wandb.NotCarriedError, match=r"not part of tracker\.compat\.wandb: .*coming-from-wandb"
        ):
            call()
    with pytest.raises(AttributeError, match="has no 'launch'"):
        _ = wandb.launch
    with pytest.raises(TypeError, match="unexpected keyword argument 'projekt'"):
        wandb.init(projekt="p")


def test_what_means_nothing_here_is_warned_of_once(library: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            with wandb.init(
                project="p", entity="team", settings=wandb.Settings(silent=True), reinit=True
            ) as run:
                run.log({"chart": wandb.plot.roc_curve([1], [2]), "odd": object()})
                run.alert("late", "slow")
    told = [str(each.message).partition(" is ignored")[0] for each in caught]
    assert sorted(told) == [
        "object values in wandb.log()", "sending of wandb.alert()", "wandb.init(entity=)",
        "wandb.init(settings=)", "wandb.plot.roc_curve()",
    ]  # fmt: skip


def test_a_run_that_is_active_is_given_again_or_finished(library: Any) -> None:
    first = wandb.init(project="p")
    with pytest.warns(tracker.TrackerWarning, match="while a run is active"):
        assert wandb.init(project="p", config={"lr": 1}) is first
    second = wandb.init(project="p", reinit=True)
    assert second is not first
    assert wandb.run is second
    wandb.finish()
    assert wandb.run is None
    with pytest.raises(wandb.Error, match="is finished"):
        second.log({"a": 1})


def test_a_run_goes_on_by_its_id(library: Any) -> None:
    with wandb.init(project="p", id="abc", resume="allow") as run:
        for _ in range(3):
            run.log({"loss": 1.0})
    with wandb.init(project="p", id="abc", resume="must") as run:
        assert run.resumed
        assert run.step == 3
        run.log({"loss": 2.0})
    assert curve(library, "loss") == [(0, 1.0), (1, 1.0), (2, 1.0), (3, 2.0)]
    with pytest.raises(wandb.UsageError, match="no run of the id xyz"):
        wandb.init(project="p", id="xyz", resume="must")
    with pytest.raises(wandb.UsageError, match="resume='never'"):
        wandb.init(project="p", id="abc", resume="never")


def test_a_block_that_raises_and_an_exit_code_are_failures(library: Any) -> None:
    with pytest.raises(ArithmeticError), wandb.init(project="p"):
        raise ArithmeticError("no")
    assert only(library).status == "failed"
    assert only(library).end_reason.startswith("ArithmeticError: no")
    wandb.init(project="q")
    wandb.finish(exit_code=3)
    assert only(library, "q").status == "failed"


def test_a_disabled_run_takes_everything_and_keeps_nothing(library: Any) -> None:
    with wandb.init(project="p", mode="disabled", config={"a": 1}) as run:
        run.log({"loss": 1.0, "picture": wandb.Image(np.zeros((2, 2), "uint8"))})
        assert run.config.a == 1
    assert library.projects.list() == ()


def test_a_script_that_never_finishes_has_its_summary_all_the_same(library: Any, folder: Path) -> None:
    script = textwrap.dedent("""
        import tracker.compat.wandb as wandb
        wandb.init(project="p")
        wandb.log({"loss": 0.5})
        wandb.summary["best"] = 0.25
    """)
    variables = {
        "TRACKER_DATA": str(folder / "data"), "DATABASE_URL": f"sqlite:///{folder}/data/tracker.db",
        "TRACKER_SILENT": "1",
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", script], check=True, cwd=folder, env=clean_environment(**variables))
    assert only(library).status == "complete"
    assert metrics(library) == {"loss": 0.5, "best": 0.25}


class _Parameter:
    """What ``watch`` needs of a parameter of torch."""

    requires_grad = True

    def register_hook(self, hear: Any) -> Any:
        self.hear = hear
        return self

    def remove(self) -> None:
        self.hear = None


class _Model:
    def __init__(self) -> None:
        self.weight = _Parameter()

    def named_parameters(self) -> Any:
        return [("weight", self.weight)]


def test_watching_keeps_a_gradient_every_so_often(library: Any) -> None:
    model = _Model()
    with wandb.init(project="p") as run:
        run.watch(model, log_freq=2)
        for step in range(4):
            model.weight.hear(np.array([1.0, 2.0]))
            run.log({"loss": 1.0}, step=step)
    found = library.artifacts.list(only(library).id, kind="histogram")
    assert [artifact.name for artifact in found] == ["gradients/weight.json"] * 2
