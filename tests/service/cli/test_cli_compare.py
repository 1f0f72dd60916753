"""The commands that compare."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow  # each opens a folder several times


@pytest.fixture
def seeds(ok, digits):
    """Two seeds of each of two kinds."""
    made = {}
    for kind, values in {"narrow": (0.50, 0.51), "wide": (0.60, 0.61)}.items():
        for seed, value in enumerate(values):
            name = f"{kind}{seed}"
            made[name] = ok(
                "experiment", "create", "--project", "digits", name, "--status", "complete",
                "--param", f"kind={kind}", "--param", f"seed={seed}",
            )  # fmt: skip
            ok("metric", "log", name, "acc", str(value), "--project", "digits")
            ok("metric", "log", name, "loss", str(1 - value), "--project", "digits")
    return made


def test_two_experiments_are_told_apart(run, ok, seeds):
    told = run("compare", "narrow0", "wide0", "--project", "digits").stdout
    lines = [line.split() for line in told.splitlines() if line]
    assert lines[0] == ["narrow0", "(baseline)", "wide0"]
    assert ["params.kind", "narrow", "wide"] in lines
    assert ["acc", "↑", "0.5", "*", "0.6", "(+0.1)"] in lines and [
        "loss",
        "↓",
        "0.5",
        "*",
        "0.4",
        "(+0.1)",
    ] in lines
    assert "(n 2/2, p " in told and "wide0 against narrow0: kind narrow -> wide." in told
    found = ok("compare", seeds["narrow0"]["id"], seeds["wide0"]["id"][:-1])
    assert found["baseline_id"] == seeds["narrow0"]["id"] and found["metrics"][0]["cells"][1]["is_best"]
    turned = ok("compare", "narrow0", "--baseline", "wide0", "--project", "digits")
    assert turned["baseline_id"] == seeds["wide0"]["id"]


def test_what_one_lacks_is_a_dash(run, ok, digits):
    ok("experiment", "create", "--project", "digits", "a", "--param", "x=1")
    ok("experiment", "create", "--project", "digits", "b")
    lines = [line.split() for line in run("compare", "a", "b", "--project", "digits").stdout.splitlines()]
    assert ["params.x", "1", "–"] in lines


def test_the_table_the_front_and_the_importance_of_a_project(run, ok, seeds):
    asked = ("project", "table", "digits", "acc > 0.505", "--sort=-acc", "--limit", "2")
    told = run(*asked, "--baseline", "narrow0")
    assert [line.split()[0] for line in told.stdout.splitlines()] == ["name", "wide1", "wide0"]
    assert "* 0.61 (+0.11)" in told.stdout and "more: --cursor" in told.stderr
    cursor = ok(*asked)["next_cursor"]
    rest = ok(*asked, "--cursor", cursor)
    assert [row["name"] for row in rest["rows"]] == ["narrow1"]
    front = run("project", "pareto", "digits", "acc", "loss")
    assert (
        front.stdout.split() == ["name", "acc", "loss", "wide1", "0.61", "0.39"] and "1 of 4" in front.stderr
    )
    importance = run("project", "importance", "digits", "acc")
    assert importance.stdout.splitlines()[1].split()[:2] == ["kind", "categorical"]
    assert "4 runs are few" in importance.stderr
    assert run("project", "pareto", "digits", "acc").exit_code == 1


def test_a_series_is_compared_at_the_same_budget(run, ok, seeds):
    silent = run("compare", "narrow0", "wide0", "--project", "digits", "--scalar", "loss")
    assert "No experiment has the scalar loss." in silent.stdout
    assert ok("compare", "narrow0", "--project", "digits", "--scalar", "loss")["at"] is None
    assert run("compare", "narrow0", "--project", "digits", "--at", "3").exit_code == 2
    assert run("compare", "a", "--scalar", "x", "--baseline", "b").exit_code == 2
    assert run("compare").exit_code == 2
