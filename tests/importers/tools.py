"""Other tools, run as processes of their own: they write their files as they do for anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracker

__all__ = ["bits", "imported", "needs", "run_tool", "series_of"]


def needs(*modules: str) -> pytest.MarkDecorator:
    """Skips where a tool is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    return pytest.mark.skipif(
        bool(missing), reason=f"{missing} not installed here: `make importers` runs this"
    )


def run_tool(script: str, folder: Path, **variables: str) -> str:
    """Runs a script in `folder`; gives the last line that it prints."""
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={**os.environ, **home, **variables}, text=True,
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().rpartition("\n")[2]


def bits(values: Any) -> list[int]:
    """The bits of float64 values."""
    return np.asarray(values, np.float64).view(np.uint64).tolist()


def series_of(library: tracker.Tracker, experiment: Any) -> dict[str, tuple[list, list, list]]:
    """Steps, times and bits of every series of an experiment."""
    found = {}
    for row in library.scalars.summary(experiment.project_id, [experiment.id]):
        series = library.scalars.read(experiment.id, row.name)
        found[row.name] = (series.step.tolist(), series.time.tolist(), bits(series.value))
    return found


def imported(library: tracker.Tracker, project: str) -> dict[str, Any]:
    """The experiments of a project by their names."""
    found = library.projects.find(project)
    assert found is not None, [each.name for each in library.projects.list()]
    return {each.name: each for each in library.experiments.list(found.id)}
