"""What people may type for an experiment, and what is told when it could be several."""

from __future__ import annotations

import pytest


@pytest.fixture
def two(ok, family):
    """A second project, newer, that has a 1 and a 12 as well."""
    ok("project", "create", "other", "--naming-pattern", "run-{num}_{what}")
    made = [
        ok("experiment", "create", "--project", "other", name) for name in ("run-0012_x", "run-1_y", "112")
    ]
    return [*family, *made]


def named(ok, *words):
    return ok("show", *words)["name"]


def test_a_number_is_that_of_the_projects_patterns(ok, family):
    assert [named(ok, key) for key in ("1", "02", "3")] == [
        "1_baseline", "2_from_1_wide", "3_from_2_deep",
    ]  # fmt: skip


def test_no_project_has_to_be_named_where_only_one_has_it(ok, two):
    assert named(ok, "2") == "2_from_1_wide"
    assert named(ok, "12") == "run-0012_x"
    assert named(ok, "112") == "112"
    assert named(ok, "1_baseline") == "1_baseline"


def test_what_several_projects_have_is_refused_with_the_candidates(run, ok, two):
    result = run("experiment", "delete", "1", "--yes")
    assert result.exit_code == 1
    for word in ("digits/1_baseline", "other/run-1_y", two[0]["id"], "give one of these ids"):
        assert word in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert len(ok("experiment", "list")) == len(two)
    assert named(ok, "1", "--project", "other") == "run-1_y"


def test_a_name_that_two_experiments_share_is_refused(run, ok, digits):
    for _ in range(2):
        ok("experiment", "create", "--project", "digits", "twin")
    result = run("show", "twin")
    assert (result.exit_code, result.stderr.count("digits/twin")) == (1, 2)


def test_a_whole_name_comes_before_a_number_and_that_before_an_id(ok, digits):
    name = ok("experiment", "create", "--project", "digits", "5_from_1_x")["id"][:4]
    ok("experiment", "create", "--project", "digits", "7_from_1_y")
    seven = ok("experiment", "create", "--project", "digits", "7")
    assert ok("show", "7")["id"] == seven["id"]
    called = ok("experiment", "create", "--project", "digits", name)
    assert ok("show", name)["id"] == called["id"]


def test_the_second_of_a_pair_is_looked_for_near_the_first(ok, two):
    assert ok("diff", "2", "1")["new"]["name"] == "1_baseline"
    assert ok("diff", "12", "1")["new"]["name"] == "run-1_y"


def test_every_command_that_takes_an_experiment_takes_a_number(run, ok, family):
    assert run("metric", "log", "2", "acc", "0.5").exit_code == 0
    assert [row["value"] for row in ok("metric", "list", "2")] == [0.5]
    assert run("scalars", "log", "2", "loss=1", "--step", "0").exit_code == 0
    assert [row["name"] for row in ok("scalars", "list", "2")] == ["loss"]
    assert ok("experiment", "edit", "4", "--parent", "3")["parent_id"] == family[2]["id"]
    assert [row["name"] for row in ok("experiment", "reorder", "4", "1")][:2] == [
        "4_from_1_slow",
        "1_baseline",
    ]
    assert len(ok("metric", "table")) == 1


@pytest.mark.parametrize(
    "key", ["77", "", "nothing", '"', "\\", "a\nb", "%", "x" * 20_000, "1" * 500, "\udc80", "0190"]
)
def test_what_nothing_is_called_is_told_in_one_line(run, family, key):
    result = run("show", "--", key)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.output
    assert "not found" in result.stderr


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "it's", "100%", "tab\there", "é ü 漢", "12\n13"])
def test_any_name_finds_its_experiment(ok, digits, name):
    made = ok("experiment", "create", "--project", "digits", name)
    assert ok("show", name)["id"] == made["id"]


@pytest.mark.parametrize(
    "pattern", ["{num}", "run ({num}).*", "{what}-{num}", "é{num}漢{what}", "a{what}b{num}c"]
)
def test_numbers_are_found_by_any_pattern(ok, pattern):
    ok("project", "create", "p", "--naming-pattern", pattern)
    names = [pattern.replace("{num}", number).replace("{what}", "x") for number in ("7", "17", "70")]
    for name in names:
        ok("experiment", "create", "--project", "p", name)
    assert named(ok, "7") == names[0]


def test_a_project_is_inferred_and_told_when_there_are_several(run, ok, two):
    result = run("ls")
    assert "run-1_y" in result.stdout and "1_baseline" not in result.stdout
    assert "project other" in result.stderr
    result = run("ls", "--all", "--sort", "name")
    assert {row.split()[1] for row in result.stdout.splitlines()[1:]} == {"digits", "other"}
    assert run("tree", "--project", "digits").stderr == ""


def test_numbers_that_two_shown_experiments_share_are_ids_that_work(run, ok, digits):
    for name in ("3_from_1_x", "3_from_1_y"):
        ok("experiment", "create", "--project", "digits", name)
    keys = [row.split()[0] for row in run("ls", "--sort", "name").stdout.splitlines()[1:]]
    assert [named(ok, key) for key in keys] == ["3_from_1_x", "3_from_1_y"]


def test_a_beginning_of_an_id_that_several_share_is_refused(run, family):
    result = run("show", family[0]["id"][:4])
    assert (result.exit_code, "give one of these ids" in result.stderr) == (1, True)
    assert family[0]["id"] in result.stderr


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["ls", "--columns", "acc,,name"], 2, "--columns"),
        (["ls", "--columns", "-acc"], 2, "--columns"),
        (["ls", "--columns", "a b"], 2, "'a b'"),
        (["ls", "--limit", "0"], 2, "--limit"),
        (["ls", "--all", "--project", "digits"], 2, "--all"),
        (["ls", "acc > 1", "--query", "q"], 2, "--query"),
        (["ls", "--project", "nothing"], 1, "nothing"),
        (["ls", "--save", ""], 1, "name"),
        (["ls", "\x00"], 1, "column 1"),
        (["ls", "name = '\udc80'"], 1, "filter"),
        (["tree", "--metric", "name"], 2, "--metric"),
        (["tree", "--metric", "acc,loss"], 2, "--metric"),
        (["tree", "--project", "nothing"], 1, "nothing"),
        (["diff", "1"], 2, "NEW"),
        (["diff", "1", "99"], 1, "99"),
    ],
)
def test_wrong_input_names_what_is_wrong(run, family, words, code, named):
    result = run(*words)
    assert result.exit_code == code, result.output
    assert named in result.stderr
    assert "Traceback" not in result.output


def test_an_empty_folder_says_what_fills_it(run):
    for words in (["ls"], ["tree"]):
        result = run(*words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "tracker project create" in result.stderr
