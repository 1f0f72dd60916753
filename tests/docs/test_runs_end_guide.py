"""What the guide to ends and resuming shows runs, and names every kind of end."""

from __future__ import annotations

from pathlib import Path

from tests.docs.test_examples import ROOT, blocks, run_python
from tracker.domain.experiments.ending import EndKind

PAGE = "docs/guide/runs-end.md"


def test_the_guide_to_resuming_runs(tmp_path: Path) -> None:
    done = run_python("\n".join(blocks("python", PAGE)), tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_kind_of_end_is_in_it() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    for kind in EndKind:
        assert f"| `{kind}` |" in text
