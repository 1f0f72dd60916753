"""What all integrations have in common, without any of the libraries."""

from __future__ import annotations

import re
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import tracker
from tracker.integrations.attached import Attached, is_number, without_raising
from tracker.integrations.needed import needed

PACKAGES = {
    "transformers": "transformers", "accelerate": "accelerate", "lightning": "lightning", "keras": "keras",
    "xgboost": "xgboost", "lightgbm": "lightgbm", "optuna": "optuna", "hydra": "hydra-core",
}  # fmt: skip


@pytest.mark.parametrize("module", PACKAGES)
def test_a_missing_library_is_named_with_what_to_install(module: str) -> None:
    if find_spec(module) is not None:
        pytest.skip(f"{module} is installed")
    name = PACKAGES[module]
    told = f"tracker.integrations.{module} needs {name}: pip install {name}"
    with pytest.raises(ImportError, match=f"^{re.escape(told)}$"):
        import_module(f"tracker.integrations.{module}")


def test_an_error_within_a_library_is_not_taken_for_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_there.py").write_text("import something_else_that_is_missing")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="something_else_that_is_missing"):
        needed("half_there", "half-there", "a test")
    with pytest.raises(ImportError, match="a test needs not-there: pip install not-there"):
        needed("not_there.inside", "not-there", "a test")


def test_an_error_becomes_a_warning_and_where_warnings_are_raised_nothing() -> None:
    told = pytest.warns(tracker.TrackerWarning, match="log was not logged: RuntimeError: no room")
    with told, without_raising("log"):
        raise RuntimeError("no room")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with without_raising("log"):
            raise RuntimeError("no room")
    with pytest.raises(KeyboardInterrupt), without_raising("log"):
        raise KeyboardInterrupt


def test_a_run_that_was_passed_stays_open_and_one_that_was_started_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_SILENT", "1")
    with tracker.init("p", data=tmp_path, capture=False) as run:
        passed = Attached(run, {})
        assert passed.begin() is run
        passed.end()
        assert run.is_open
    started = Attached(None, {"project": "p", "data": tmp_path, "capture": False})
    made = started.begin(name="of the default")
    assert (made.name, made.is_open) == ("of the default", True)
    started.end(ValueError("no"))
    assert not made.is_open
    assert made.experiment.status == "failed"


def test_numbers_are_told_from_what_is_none() -> None:
    class Odd:
        def __float__(self) -> float:
            raise RuntimeError

    assert all(map(is_number, (1, 1.5, True, float("nan"))))
    assert not any(map(is_number, ("1", b"1", None, [1], Odd())))
