from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the dependency group integrations")
lightning = pytest.importorskip("lightning.pytorch", reason="needs the dependency group integrations")

from tracker.integrations.lightning import TrackerLogger  # noqa: E402

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Line(lightning.LightningModule):  # type: ignore[name-defined,misc]
    def __init__(self, lr: float = 0.1, breaks: bool = False) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch: Any, index: int) -> Any:
        if self.hparams.breaks and self.global_step == 2:
            raise ArithmeticError("loss is no number")
        loss = (self.layer(batch) - 2 * batch).square().mean()
        self.log("loss", loss)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", (self.layer(batch) - 2 * batch).square().mean())

    def test_step(self, batch: Any, index: int) -> None:
        self.log("test_loss", (self.layer(batch) - 2 * batch).square().mean())

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


def batches() -> Any:
    return torch.utils.data.DataLoader(torch.linspace(0, 1, 16).reshape(-1, 1), batch_size=4)


def trainer(logger: Any, folder: Any, **options: Any) -> Any:
    return lightning.Trainer(
        logger=logger, max_epochs=3, log_every_n_steps=1, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=folder, **options,
    )  # fmt: skip


def test_what_modules_log_is_in_one_run_through_fit_and_test(tmp_path: Any, kept: Any) -> None:
    logger = TrackerLogger("p", prefix="m", name="line", log_model=True)
    best = lightning.callbacks.ModelCheckpoint(tmp_path / "best", monitor="val_loss")
    training = trainer(logger, tmp_path, callbacks=[best])
    training.fit(Line(), batches(), batches())
    training.test(Line(), batches(), verbose=False)
    assert logger.name == "p"
    assert logger.version == "line"
    logger.experiment.metric("own", 1.0)
    logger.finish()
    run = kept.only()
    assert [step for step, _ in kept.curve(run, "m/loss")] == list(range(12))
    assert len(kept.curve(run, "m/val_loss")) == 3
    assert len(kept.curve(run, "m/test_loss")) == 1
    assert run.params["lr"] == 0.1
    assert kept.metrics(run)["own"] == 1.0
    assert kept.metrics(run)["val_loss"] == pytest.approx(float(best.best_model_score))
    assert any(name.startswith("checkpoints/") for name in kept.artifacts(run))
    assert run.status == "complete"


def test_a_training_that_fails_is_a_failed_run_with_the_reason(tmp_path: Any, kept: Any) -> None:
    with pytest.raises(ArithmeticError):
        trainer(TrackerLogger("p"), tmp_path).fit(Line(breaks=True), batches())
    run = kept.only()
    assert run.status == "failed"
    assert run.end_reason.startswith("ArithmeticError: loss is no number")
    assert [step for step, _ in kept.curve(run, "loss")] == [0, 1]


def test_other_ranks_start_no_run(kept: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning.pytorch.utilities.rank_zero import rank_zero_only

    monkeypatch.setattr(rank_zero_only, "rank", 1)
    logger = TrackerLogger("p")
    logger.log_metrics({"loss": 1.0}, step=0)
    logger.log_hyperparams({"lr": 1})
    logger.experiment.log({"loss": 1.0})
    logger.finalize("success")
    assert kept.experiments() == []


OLD_NAME = """
import pytorch_lightning
from tracker.integrations.lightning import TrackerLogger
assert isinstance(TrackerLogger("p"), pytorch_lightning.loggers.Logger)
"""


def test_trainers_of_the_package_of_the_old_name_take_it() -> None:
    pytest.importorskip("pytorch_lightning")
    subprocess.run([sys.executable, "-W", "ignore", "-c", OLD_NAME], check=True, timeout=120)
