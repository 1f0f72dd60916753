"""``tracker ls``, ``tree``, ``show`` and ``diff``, on a folder and against a server alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tracker
from entrypoints.cli.main import cli
from tests.e2e.conftest import databases, server  # noqa: F401  (fixtures)
from tracker import MetricDefinition, ScalarRecord
from tracker.domain.projects.project import Direction, ProjectSettings

METRICS = (
    MetricDefinition(name="acc"),
    MetricDefinition(name="loss", direction=Direction.MINIMIZE),
)


def member(name: str, lr: float, acc: float | None, loss: float | None, **more: Any) -> dict[str, Any]:
    metrics = [{"name": key, "value": value} for key, value in (("acc", acc), ("loss", loss)) if value]
    features = {"optimizer": {"lr": lr, "name": "adam"}}
    return {"name": name, "params": {"lr": lr}, "features": features, "metrics": metrics, **more}


FAMILY = (
    member("1_baseline", 0.1, 0.8, 0.5, status="complete", git_diff="-a\n+b\n"),
    member("2_from_1_fast", 0.5, 0.9, 0.4, status="complete", git_diff="-a\n+c\n", tags=["paper"]),
    member("3_from_2_slow", 0.01, 0.7, None, status="failed"),
    member("4_from_1_odd", 0.1, None, None),
)


@pytest.fixture(params=["folder", pytest.param("server", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, run: Any, tmp_path: Any) -> Iterator[list[str]]:
    """The options that name a place with a family of four in it."""
    if request.param == "folder":
        words, opened = ["--data", str(tmp_path / "data")], tracker.open(tmp_path / "data")
    else:
        url = request.getfixturevalue("server").url
        words, opened = ["--url", url], tracker.open(url=url)
    with opened as library:
        project = library.projects.create("everyday", metrics=METRICS)
        made = library.experiments.create_many(project.id, FAMILY)
        library.experiments.edit(made[3].id, merged_from=[made[1].id])
        records = [ScalarRecord(step=i, values={"acc": i / 10, "lr": 1.0}) for i in range(9)]
        library.scalars.log(made[0].id, records)
    yield words
    if request.param == "server":  # which is there for all tests
        with tracker.open(url=words[1]) as library:
            library.projects.delete(project.id)


@pytest.fixture
def there(place: list[str]) -> Any:
    def there(*words: str, **how: Any) -> Result:
        return CliRunner().invoke(cli, [*place, *words], prog_name="tracker", **how)

    return there


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_filter_finds_and_its_fields_are_columns(there):
    head, *rows = lines(there("ls", "acc > 0.75 and params.lr >= 0.1", "--sort", "-acc"))
    assert head.split() == ["#", "name", "status", "acc", "loss", "params.lr", "created", "tags"]
    assert [row.split()[:6] for row in rows] == [
        ["2", "2_from_1_fast", "complete", "0.9", "0.4", "0.5"],
        ["1", "1_baseline", "complete", "0.8", "0.5", "0.1"],
    ]


def test_a_filter_may_be_several_words(there):
    assert [row.split()[0] for row in lines(there("ls", "status", "=", "failed"))[1:]] == ["3"]


def test_what_is_missing_is_shown_as_missing(there):
    (row,) = lines(there("ls", "name = '4_from_1_odd'"))[1:]
    assert row.split()[2:5] == ["planned", "–", "–"]


def test_columns_are_chosen_and_json_has_them_by_name(there):
    found = there("ls", "--columns", "number,parent,params.lr,max(acc),tags", "--sort", "name", "--json")
    assert json.loads(found.stdout)[:2] == [
        {"number": "1", "parent": None, "params.lr": 0.1, "max(acc)": 0.8, "tags": []},
        {"number": "2", "parent": "1_baseline", "params.lr": 0.5, "max(acc)": 0.9, "tags": ["paper"]},
    ]
    assert "features.optimizer.name" in lines(there("ls", "--all-columns"))[0].split()


def test_json_has_whole_experiments_with_their_metrics(there):
    rows = json.loads(there("ls", "--sort", "name", "--json").stdout)
    assert [row["metrics"].get("acc") for row in rows] == [0.8, 0.9, 0.7, None]


def test_more_than_the_limit_is_told_and_given_when_asked(there):
    result = there("ls", "--limit", "3")
    assert (len(lines(result)), "only the first 3" in result.stderr) == (4, True)
    result = there("ls", "--limit", "4")
    assert (len(lines(result)), result.stderr) == (5, "")


def test_the_word_that_does_not_parse_has_a_caret_below_it(there):
    result = there("ls", "acc > 0.5 nd params.lr < 1")
    assert result.exit_code == 1
    told, shown, caret = result.stderr.splitlines()
    assert told.startswith("tracker: filter: ") and "(column 11)" in told
    assert shown[caret.index("^") :].startswith("nd params")
    told, shown, caret = there("ls", "--sort", "acc,,name").stderr.splitlines()
    assert told.startswith("tracker: --sort: ") and shown[caret.index("^") :] == ",name"


def test_a_query_is_kept_run_and_sorted_anew(there):
    assert "ls --query good" in there("ls", "acc > 0.75", "--sort", "acc", "--save", "good").stderr
    assert [row.split()[0] for row in lines(there("ls", "--query", "good"))[1:]] == ["1", "2"]
    assert [row.split()[0] for row in lines(there("ls", "--query", "good", "--sort", "-acc"))[1:]] == [
        "2",
        "1",
    ]
    assert there("ls", "acc > 0.1", "--save", "good").exit_code == 1
    missing = there("ls", "--query", "bad")
    assert (missing.exit_code, "good" in missing.stderr) == (1, True)


def test_a_query_that_finds_nothing_to_hold_on_to_is_not_kept(there):
    assert there("ls", "descendant_of(77)", "--save", "lost").exit_code == 1
    assert there("ls", "--query", "lost").exit_code == 1


def test_the_tree_has_the_main_metric_its_change_and_its_curve(there):
    head, *rows = lines(there("tree"))
    assert head.split() == ["name", "status", "acc", "Δ", "parent", "curve", "merged", "from"]
    status = head.index("status")
    assert [row[:status].rstrip() for row in rows] == [
        "1_baseline", "├─ 2_from_1_fast", "│  └─ 3_from_2_slow", "└─ 4_from_1_odd",
    ]  # fmt: skip
    assert "▁" in rows[0] and "█" in rows[0] and "+0.1" in rows[1] and "-0.2" in rows[2]
    assert rows[3].split()[-1] == "2"  # merged from


def test_the_tree_in_json_has_values_and_differences(there):
    rows = json.loads(there("tree", "--metric", "loss", "--json").stdout)
    assert [(row["depth"], row["value"]) for row in rows] == [(0, 0.5), (1, 0.4), (2, None), (1, None)]
    assert rows[1]["delta"] == pytest.approx(-0.1)


def test_show_tells_everything_and_what_changed(there):
    shown = there("show", "2").stdout
    for text in (
        "2_from_1_fast", "complete", "everyday", "1_baseline", "paper", "2 lines", "optimizer.lr",
        "features that differ from those of 1_baseline", "+0.1", "-0.1",
    ):  # fmt: skip
        assert text in shown
    assert "▁▂▃▃▅▆▆▇█" in there("show", "1").stdout


def test_show_draws_the_ranks_of_a_job_in_one_line(place, there):
    with tracker.open(place[1]) if place[0] == "--data" else tracker.open(url=place[1]) as library:
        (project,) = library.projects.list(name="everyday")
        (one,) = library.experiments.list(project.id, name="4_from_1_odd")
        for step in range(3):
            values = {"acc": step / 10, "acc@rank1": step / 5, "acc@rank2": math.nan, "gpu@rank1": 7.0}
            library.scalars.log(one.id, [ScalarRecord(step=step, values=values)])
    rows = [line.split() for line in lines(there("show", "4"))[-3:]]
    assert rows == [
        ["curves"],
        ["acc", "▁▅█", "0", "→", "0.2", "3", "ranks", "at", "0.2", "to", "0.4,", "1", "not", "finite"],
        ["gpu@rank1", "▅▅▅", "7", "→", "7"],
    ]


def test_show_in_json_is_the_experiment_with_metrics_and_difference(there):
    shown = json.loads(there("show", "2", "--json").stdout)
    assert (shown["name"], shown["metrics"]) == ("2_from_1_fast", {"acc": 0.9, "loss": 0.4})
    assert shown["features_diff"]["changed"] == {"optimizer.lr": [0.1, 0.5]}
    assert json.loads(there("experiment", "show", "2", "--json").stdout)["id"] == shown["id"]


def test_diff_tells_what_differs_from_old_to_new(there):
    shown = there("diff", "1", "2").stdout
    rows = [row.split() for row in shown.splitlines()]
    assert ["params.lr", "0.1", "→", "0.5"] in rows
    assert ["features.optimizer.lr", "0.1", "→", "0.5"] in rows
    assert ["loss", "0.5", "0.4", "-0.1"] in rows
    assert "optimizer.name" not in shown
    assert "differs: 2 lines → 2 lines" in shown
    assert "\n-+b\n++c\n" in there("diff", "1", "2", "--git").stdout


def test_diff_of_one_with_itself_is_empty(there):
    shown = json.loads(there("diff", "1", "1", "--json", "--git").stdout)
    nothing = {"added": {}, "removed": {}, "changed": {}}
    assert (shown["params"], shown["features"]) == (nothing, nothing)
    assert (shown["git_diff_differs"], shown["git_diff"]) == (False, "")
    assert shown["metrics"]["acc"] == {"old": 0.8, "new": 0.8, "delta": 0.0}


def test_a_project_without_metrics_of_its_own_shows_what_its_runs_have(place, there):
    opened = tracker.open(place[1]) if place[0] == "--data" else tracker.open(url=place[1])
    with opened as library:
        (project,) = library.projects.list(name="everyday")
        library.projects.edit(project.id, metrics=())
        assert lines(there("ls"))[0].split()[3:5] == ["acc", "loss"]
        assert lines(there("tree"))[0].split()[2] == "acc"
        settings = ProjectSettings(display_metrics=("loss",))
        library.projects.edit(project.id, settings=settings)
    assert lines(there("ls"))[0].split()[3:5] == ["loss", "created"]
    assert lines(there("tree"))[0].split()[2] == "loss"


def test_a_run_that_failed_shows_why(there):
    assert there("experiment", "fail", "3", "--kind", "killed", "--reason", "it was killed").exit_code == 0
    head, *rows = lines(there("ls", "status = failed"))
    assert head.split()[-2:] == ["ended", "reason"]
    assert rows[0].split()[-4:] == ["killed", "it", "was", "killed"]
    assert "ended" not in lines(there("ls", "status = complete"))[0]
    shown = lines(there("show", "3"))
    assert ["ended", "by", "killed"] in [line.split() for line in shown]
    assert ["reason", "it", "was", "killed"] in [line.split() for line in shown]
    assert json.loads(there("show", "3", "--json").stdout)["end_kind"] == "killed"


def test_what_a_resumed_run_left_behind_is_listed(there, place):
    assert "never resumed" in there("branches", "1").output
    where = {"url": place[1]} if place[0] == "--url" else {"data": place[1]}
    with tracker.open(**where) as library:
        (run,) = library.experiments.search(filter="name = '1_baseline'")
        library.metrics.log(run.id, "acc", 0.85, step=7, label="val")
        library.experiments.resume(run.id, step=6)
    (row,) = lines(there("branches", "1"))[1:]
    assert row.split()[1:3] == ["6", "6"]
    assert row.endswith("acc[val] 0.85 at 7")
    (told,) = json.loads(there("branches", "1", "--json").stdout)
    assert (told["from_step"], told["points"]) == (6, 6)
    assert any("from step 6  6 points" in line for line in lines(there("show", "1")))
