"""The demo, twice in one folder, and the pages that show what it and the commands after it print."""

from __future__ import annotations

import re
import shlex
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import tracker
from entrypoints.cli.main import cli
from tracker import demo

ROOT = Path(__file__).resolve().parents[2]
TOLD = re.compile(r"^```console\n\$ (tracker [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHANGING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\d.\d\d:\d\d(:\d\dZ)?", "TIME"),
    (r"duration .*", "duration"),
)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder in which the demo has run, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    out = Console(file=StringIO(), width=120)
    demo.run(folder, out)
    return folder, out.file.getvalue()


def stable(text: str) -> list[str]:
    """Its lines without what differs from run to run; what the diverging one comes to before it ends is
    a matter of the last bit of every number."""
    for pattern, put in CHANGING:
        text = re.sub(pattern, put, text)
    return [line.rstrip() for line in text.splitlines() if "12_from_4" not in line]


def test_the_demo_tracks_a_family_in_which_one_diverges(tracked: tuple[Path, str]) -> None:
    with tracker.open(tracked[0]) as tr:
        (project,) = tr.projects.list(name="digits-demo")
        family = tr.experiments.list(project.id)
        assert [one.name for one in family if one.status == "failed"] == ["12_from_4_lr10000"]
        assert len(family) == 12
        loss = tr.scalars.read(family[0].id, "val.loss")
        assert len(loss) == 300
    assert "×" in tracked[1]


def test_the_demo_supports_one_hypothesis_and_refutes_another(tracked: tuple[Path, str]) -> None:
    with tracker.open(tracked[0]) as tr:
        (project,) = tr.projects.list(name="digits-demo")
        claims = {one.hypothesis.title: one for one in tr.hypotheses.list(project.id)}
        assert {title: str(one.status) for title, one in claims.items()} == {
            "a larger learning rate helps": "supported",
            "weight decay helps": "refuted",
        }
        for claim in claims.values():
            (target,) = tr.hypotheses.evidence(claim.id).targets
            assert target.interval is not None  # there are replicates on both sides
            assert f"{target.effect:+.4f}" in tracked[1]


def test_the_readme_shows_what_the_demo_prints(tracked: tuple[Path, str]) -> None:
    shown = stable((ROOT / "README.md").read_text(encoding="utf-8"))
    printed = [line for line in stable(tracked[1]) if "│" in line]
    assert len(printed) > 20
    assert [line for line in printed if line not in shown] == []


def test_the_guide_shows_what_the_commands_print(tracked: tuple[Path, str]) -> None:
    told = TOLD.findall((ROOT / "docs" / "guide" / "command-line.md").read_text(encoding="utf-8"))
    assert len(told) >= 6
    for command, text in told:
        words = ["--data", str(tracked[0]), *shlex.split(command)[1:]]
        result = CliRunner().invoke(cli, words, prog_name="tracker")
        printed = result.stdout if result.exit_code == 0 else result.output
        assert stable(printed) == stable(text), command


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
