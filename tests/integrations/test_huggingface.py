from __future__ import annotations

from typing import Any

import pytest

import tracker

torch = pytest.importorskip("torch", reason="needs the dependency group integrations")
transformers = pytest.importorskip("transformers", reason="needs the dependency group integrations")
accelerate = pytest.importorskip("accelerate", reason="needs the dependency group integrations")

from tracker.integrations.accelerate import AccelerateTracker  # noqa: E402
from tracker.integrations.transformers import TrackerCallback  # noqa: E402


def tiny() -> Any:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=16,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config)


def examples() -> list[dict[str, Any]]:
    return [{"input_ids": [1, 2 + n % 5, 3], "attention_mask": [1, 1, 1], "labels": n % 2} for n in range(8)]


def trained(folder: Any, callback: Any, **options: Any) -> Any:
    given = {
        "output_dir": str(folder / "out"), "max_steps": 6, "logging_steps": 2, "eval_strategy": "steps",
        "eval_steps": 3, "per_device_train_batch_size": 2, "report_to": [], "disable_tqdm": True,
        "use_cpu": True, "save_strategy": "no",
    }  # fmt: skip
    arguments = transformers.TrainingArguments(**{**given, **options})
    trainer = transformers.Trainer(
        tiny(), arguments, train_dataset=examples(), eval_dataset=examples(), callbacks=[callback]
    )
    trainer.train()
    return trainer


def test_a_trainers_log_history_is_in_the_run(tmp_path: Any, kept: Any) -> None:
    trainer = trained(tmp_path, TrackerCallback(project="p"), run_name="tiny", learning_rate=1e-3)
    run = kept.only()
    assert run.name == "tiny"
    history = trainer.state.log_history
    assert kept.curve(run, "train/loss") == [
        (row["step"], pytest.approx(row["loss"])) for row in history if "loss" in row
    ]
    evaluations = [(row["step"], row["eval_loss"]) for row in history if "eval_loss" in row]
    assert kept.curve(run, "eval/loss") == evaluations
    assert kept.metrics(run)["eval/loss"] == evaluations[-1][1]
    assert run.params["learning_rate"] == 1e-3
    assert run.params["model.hidden_size"] == 8
    assert (run.status, run.progress) == ("complete", 100)


def test_a_run_that_is_passed_stays_open_and_other_processes_log_nothing(tmp_path: Any, kept: Any) -> None:
    with tracker.init("p") as run:
        callback = TrackerCallback(run)
        trained(tmp_path, callback)
        assert run.is_open

    class State:
        is_world_process_zero = False

    other = TrackerCallback(project="other")
    other.on_train_begin(None, State(), None)
    other.on_log(None, State(), None, logs={"loss": 1.0})
    other.on_train_end(None, State(), None)
    assert kept.experiments("other") == []


def test_accelerates_log_goes_to_the_run(kept: Any) -> None:
    accelerator = accelerate.Accelerator(log_with=AccelerateTracker("p", tags=["fast"]), cpu=True)
    accelerator.init_trackers("ignored", config={"lr": 0.1, "kind": "adam"})
    for step in range(3):
        accelerator.log({"loss": 1 / (step + 1), "said": "ok"}, step=step)
    assert accelerator.get_tracker("tracker", unwrap=True).is_open
    accelerator.end_training()
    run = kept.only()
    assert (run.params["lr"], run.params["kind"]) == (0.1, "adam")
    assert kept.curve(run, "loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert "said.txt" in kept.artifacts(run)
    assert (run.status, run.tags) == ("complete", ("fast",))
