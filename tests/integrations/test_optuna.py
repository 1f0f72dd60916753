from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracker

optuna = pytest.importorskip("optuna", reason="needs the dependency group integrations")

from tracker.integrations.optuna import TrackerCallback, trial_run  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial: Any) -> float:
    x = trial.suggest_float("x", -1, 1)
    kind = trial.suggest_categorical("kind", ["a", "b"])
    for step in range(3):
        trial.report(x * x + step, step)
    if trial.number == 1:
        raise optuna.TrialPruned
    if trial.number == 2:
        raise ArithmeticError("x is no good")
    return x * x + (kind == "b")


def test_each_trial_is_an_experiment_below_the_studys_and_its_end_is_told_apart(kept: Any) -> None:
    study = optuna.create_study(study_name="s", sampler=optuna.samplers.RandomSampler(1))
    with TrackerCallback(project="p") as callback:
        study.optimize(objective, n_trials=5, catch=(ArithmeticError,), callbacks=[callback])
    (parent,) = [each for each in kept.experiments() if each.parent_id is None]
    trials = kept.children(parent)
    assert [each.status for each in trials] == ["complete", "complete", "failed", "complete", "complete"]
    states = ("complete", "pruned", "failed")
    told = [next(tag for tag in each.tags if tag in states) for each in trials]
    assert told == ["complete", "pruned", "failed", "complete", "complete"]
    for trial, experiment in zip(study.trials, trials, strict=True):
        assert dict(experiment.params) == trial.params
        assert kept.curve(experiment, "intermediate") == sorted(trial.intermediate_values.items())
        values = {"value": trial.value} if trial.state.name == "COMPLETE" else {}
        assert kept.metrics(experiment) == values
    assert kept.metrics(parent)["best_value"] == study.best_value
    assert [step for step, _ in kept.curve(parent, "value")] == [0, 3, 4]
    assert parent.params["optuna.sampler"] == "RandomSampler"
    assert parent.status == "complete"


def test_each_objective_of_several_has_its_name(kept: Any) -> None:
    study = optuna.create_study(directions=["minimize", "maximize"])
    study.set_metric_names(["loss", "acc"])
    with TrackerCallback(project="p") as callback:
        study.optimize(
            lambda trial: (trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)),
            n_trials=3,
            callbacks=[callback],
        )
    (parent,) = [each for each in kept.experiments() if each.parent_id is None]
    for trial, experiment in zip(study.trials, kept.children(parent), strict=True):
        assert kept.metrics(experiment) == dict(zip(("loss", "acc"), trial.values, strict=True))
    assert "best_trials.jsonl" in kept.artifacts(parent)


def test_a_tracked_objective_logs_to_its_own_trial_from_several_threads(kept: Any) -> None:
    study = optuna.create_study()
    callback = TrackerCallback(project="p", metric_name="score")

    @callback.track
    def trained(trial: Any) -> float:
        run = trial_run()
        assert run is not None
        x = trial.suggest_float("x", 0, 1)
        for step in range(4):
            run.log({"loss": x + step}, step=step)
        return x

    study.optimize(trained, n_trials=6, n_jobs=3, callbacks=[callback])
    callback.finish()
    assert trial_run() is None
    (parent,) = [each for each in kept.experiments() if each.parent_id is None]
    trials = kept.children(parent)
    assert len(trials) == 6
    for experiment in trials:
        x = experiment.params["x"]
        assert kept.curve(experiment, "loss") == [(step, x + step) for step in range(4)]
        assert kept.metrics(experiment) == {"score": x}


def test_an_error_that_ends_the_study_ends_its_trial_as_failed(kept: Any) -> None:
    study = optuna.create_study()
    callback = TrackerCallback(project="p")

    @callback.track
    def broken(trial: Any) -> float:
        raise ValueError("out of ideas")

    with pytest.raises(ValueError, match="out of ideas"), callback:
        study.optimize(broken, n_trials=3, callbacks=[callback])
    assert [each.status for each in kept.experiments()] == ["failed", "failed"]


def test_a_run_that_is_passed_stays_open(data: Path) -> None:
    with tracker.init("p") as run:
        with TrackerCallback(run) as callback:
            optuna.create_study().optimize(
                lambda trial: trial.suggest_float("x", 0, 1), n_trials=1, callbacks=[callback]
            )
        assert run.is_open


def test_an_offline_study_is_sent_later_each_trial_with_the_key_of_its_study(kept: Any, data: Path) -> None:
    with TrackerCallback(project="p", mode="offline") as callback:
        optuna.create_study().optimize(
            lambda trial: trial.suggest_float("x", 0, 1), n_trials=2, callbacks=[callback]
        )
        key = str(callback.run.key)
    assert kept.experiments() == []
    subprocess.run([sys.executable, "-m", "tracker", "sync"], check=True, timeout=120, capture_output=True)
    found = [each.params.get("parent_run") for each in kept.experiments()]
    assert sorted(found, key=str) == [key, key, None]
