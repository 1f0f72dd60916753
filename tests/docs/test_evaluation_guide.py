"""The guide on evaluation, run from top to bottom against an endpoint that answers."""

from __future__ import annotations

import subprocess

import pytest

from tests.docs.test_examples import ROOT, blocks
from tests.docs.test_teams_guide import environment
from tracker.demo.summarisers import served
from tracker.settings import VARIABLES

PAGE = "docs/guide/evaluation.md"
WRITTEN_URL = "http://127.0.0.1:9000/v1"


@pytest.mark.slow
def test_the_guide_runs_from_top_to_bottom(tmp_path) -> None:
    examples = blocks("sh", PAGE)
    assert len(examples) == 5
    with served() as url:
        script = "set -e\n" + "\n".join(examples).replace(WRITTEN_URL, url)
        done = subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True,
            timeout=580, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "first-sentence less first-words, on the same 4 rows" in done.stdout
    assert "texts.csv" in done.stdout and "sk-example" not in done.stdout + done.stderr


def test_every_setting_that_it_names_is_one() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    text = "".join(line for line in page.splitlines() if line.startswith("| `"))
    named = {word for word in text.split("`")[1::2] if word.isupper()}
    assert named and named <= set(VARIABLES)
