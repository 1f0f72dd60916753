"""Examples of the guides to other tools run, where the tool is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import tracker
from tests.e2e.processes import clean_environment

GUIDES = Path(__file__).parents[2] / "docs/guide"
EXAMPLES = dict(
    re.findall(
        r"^```python (\w+)\n(.*?)^```$",
        (GUIDES / "integrations.md").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
NEEDED = {"tensorboard": ("torch", "tensorboard"), "keras": ("keras", "torch")}


def run(code: str, folder: Path) -> None:
    variables = {
        "TRACKER_DATA": str(folder / "data"), "DATABASE_URL": f"sqlite:///{folder}/data/tracker.db",
        "KERAS_BACKEND": "torch", "TRACKER_SILENT": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-W", "error::UserWarning:tracker", "-c", code],
        cwd=folder, env={**clean_environment(**variables), "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_library_of_the_table_has_an_example() -> None:
    page = (GUIDES / "integrations.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (GUIDES.parents[1] / "tracker/integrations").glob("*.py")}
    shown = set(re.findall(r"^\| [^|]+ \| `(\w+)\.", page, re.MULTILINE))
    assert shown <= modules
    assert shown - {"hydra"} == EXAMPLES.keys()


@pytest.mark.parametrize("library", EXAMPLES)
def test_an_example_leaves_a_run_with_points(library: str, tmp_path: Path) -> None:
    for needed in NEEDED.get(library, (library,)):
        if find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed: make integrations")
    run(EXAMPLES[library], tmp_path)
    with tracker.open(tmp_path / "data") as library_:
        (project,) = library_.projects.list()
        runs = library_.experiments.list(project.id)
        assert {each.status for each in runs} == {"complete"}
        assert library_.scalars.summary(project.id)
        assert any(each.params for each in runs) or library == "tensorboard"


def test_the_example_for_wandb_runs(tmp_path: Path) -> None:
    page = (GUIDES / "coming-from-wandb.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    run(example, tmp_path)
    with tracker.open(tmp_path / "data") as library:
        (project,) = library.projects.list()
        (experiment,) = library.experiments.list(project.id)
        found = {metric.name: metric.value for metric in library.metrics.list(experiment.id)}
        assert found == {"epoch": 2, "val/loss.min": 1 / 3, "best": 0.3}
        assert dict(experiment.params) == {"lr": 0.1}
