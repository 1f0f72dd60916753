"""The demo, twice in one folder."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

import tracker
from tracker import demo

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_demo_tracks_a_family_in_which_one_diverges(tmp_path: Path) -> None:
    out = Console(file=StringIO(), width=120)
    demo.run(tmp_path, out)
    with tracker.open(tmp_path) as tr:
        (project,) = tr.projects.list(name="digits-demo")
        family = tr.experiments.list(project.id)
        assert [one.name for one in family if one.status == "failed"] == ["12_from_4_lr10000"]
        assert len(family) == 12
        loss = tr.scalars.read(family[0].id, "val.loss")
        assert len(loss) == 300
        claims = {one.hypothesis.title: one for one in tr.hypotheses.list(project.id)}
        assert {title: str(one.status) for title, one in claims.items()} == {
            "a larger learning rate helps": "supported",
            "weight decay helps": "refuted",
        }
        for claim in claims.values():
            (target,) = tr.hypotheses.evidence(claim.id).targets
            assert target.interval is not None  # there are replicates on both sides
            assert f"{target.effect:+.4f}" in out.file.getvalue()
    assert "×" in out.file.getvalue()
    shown = {line.rstrip() for line in README.read_text(encoding="utf-8").splitlines()}
    printed = [
        line.rstrip() for line in out.file.getvalue().splitlines() if "│" in line and "12_" not in line
    ]
    # What the diverging one comes to before it ends is a matter of the last bit of every number.
    assert len(printed) > 20
    assert [line for line in printed if line not in shown] == []


@pytest.mark.slow
def test_a_second_run_adds_a_second_family(tmp_path: Path) -> None:
    for _ in range(2):
        demo.run(tmp_path, Console(file=StringIO(), width=120), steps=20)
    with tracker.open(tmp_path) as tr:
        (project,) = tr.projects.list(name="digits-demo")
        family = {one.name: one for one in tr.experiments.list(project.id)}
        claims = tr.hypotheses.list(project.id)
    assert len(family) == 24
    assert family["14_from_13_lr0.5"].parent_id == family["13_baseline"].id
    assert [len(one.hypothesis.experiments) for one in claims] == [6, 6]
