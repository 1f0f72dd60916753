from __future__ import annotations

import os
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the dependency group integrations")
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs the dependency group integrations")
np = pytest.importorskip("numpy")

from tracker.integrations.keras import TrackerCallback  # noqa: E402

X = np.linspace(0, 1, 32).reshape(-1, 1).astype("float32")


def model() -> Any:
    made = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    made.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1), loss="mse", metrics=["mae"])
    return made


def test_each_epoch_is_a_point_of_the_history_that_keras_keeps(kept: Any) -> None:
    history = model().fit(
        X, 2 * X, epochs=4, validation_data=(X, 2 * X), verbose=0, callbacks=[TrackerCallback(project="p")]
    )
    run = kept.only()
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae"}
    for name, values in history.history.items():
        assert kept.curve(run, name) == list(enumerate(map(float, values)))
        assert kept.metrics(run)[name] == float(values[-1])
    assert kept.curve(run, "learning_rate")[0] == (0, pytest.approx(0.1))
    assert run.params["epochs"] == 4
    assert run.params["optimizer.learning_rate"] == pytest.approx(0.1)
    assert run.params["model.parameters"] == 2
    assert (run.status, run.progress) == ("complete", 100)


def test_batches_are_logged_where_that_is_wanted(kept: Any) -> None:
    callback = TrackerCallback(project="p", log_batches=2)
    model().fit(X, 2 * X, epochs=2, batch_size=8, verbose=0, callbacks=[callback])
    assert [step for step, _ in kept.curve(kept.only(), "batch/loss")] == [2, 4, 6, 8]
