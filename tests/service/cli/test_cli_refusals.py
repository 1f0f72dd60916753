"""Wrong input: the exit code says of which kind, and one line on stderr names the field."""

from __future__ import annotations

import pytest

UNKNOWN = "0190aaaa-0000-7000-8000-000000000000"


def refused(result, code: int, *words: str) -> None:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["project", "show", "nothing"],
        ["project", "show", UNKNOWN],
        ["project", "delete", "nothing", "--yes"],
        ["experiment", "show", UNKNOWN],
        ["experiment", "show", "0190"],
        ["experiment", "show", "nothing", "--project", "digits"],
        ["experiment", "list", "--project", "nothing"],
        ["metric", "list", UNKNOWN],
        ["scalars", "list", UNKNOWN],
    ],
)
def test_what_is_not_there_is_refused(run, digits, words):
    result = run(*words)
    refused(result, 1, "not found", "tracker ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["project", "create", "x" * 101], "name"),
        (["project", "create", ""], "name"),
        (["project", "create", "p", "--description", "x" * 501], "description"),
        (["project", "create", "p", "--naming-pattern", "{"], "naming_pattern"),
        (["project", "create", "p", "--metric", "a", "--metric", "a"], "metrics"),
        (["experiment", "create", "--project", "digits", "x" * 101], "name"),
        (["experiment", "create", "--project", "digits", "e", "--color", "red"], "color"),
        (["experiment", "create", "--project", "digits", "e", "--progress", "101"], "progress"),
        (["experiment", "create", "--project", "digits", "e", "--tag", ""], "tags"),
        (["experiment", "create", "--project", "digits", "e", "--param", f"a={2**63}"], "params"),
    ],
)
def test_what_breaks_a_rule_is_refused_naming_the_field(run, ok, digits, words, field):
    refused(run(*words), 1, field)
    assert len(ok("project", "list")) == 1
    assert ok("experiment", "list") == []


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_metric_must_be_finite(run, family, value):
    refused(run("metric", "log", family[0]["id"], "loss", "--", value), 1, "value")


def test_a_cycle_is_refused(run, family):
    refused(run("experiment", "edit", family[0]["id"], "--parent", family[2]["id"]), 1, "cycle")


def test_a_parent_of_another_project_is_refused(run, ok, family):
    ok("project", "create", "other")
    words = ["experiment", "create", "--project", "other", "e", "--parent", family[0]["id"]]
    refused(run(*words), 1, "parent")
    assert ok("experiment", "list", "--project", "other") == []


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nonsense"], "nonsense"),
        (["project", "create"], "NAME"),
        (["project", "edit", "digits"], "at least one option"),
        (["project", "create", "p", "--metric", "loss:sideways"], "--metric"),
        (["experiment", "create", "e"], "--project"),
        (["experiment", "list", "--status", "odd"], "--status"),
        (["experiment", "create", "--project", "digits", "e", "--param", "lr"], "--param"),
        (["experiment", "create", "--project", "digits", "e", "--param", "lr=NaN"], "--param"),
        (["experiment", "create", "--project", "digits", "e", "--features", "none.json"], "--features"),
        (["experiment", "create", "--project", "digits", "e", "--progress", "half"], "--progress"),
        (["metric", "log", UNKNOWN, "loss", "low"], "VALUE"),
        (["metric", "log", UNKNOWN, "loss", "1", "--step", "1.5"], "--step"),
        (["scalars", "log", UNKNOWN, "loss=1"], "--step"),
        (["scalars", "log", UNKNOWN, "loss", "--step", "1"], "NAME=NUMBER"),
        (["scalars", "log", UNKNOWN], "--file"),
        (["server", "--port", "70000"], "--port"),
        (["project", "list", "--url", "http://127.0.0.1:9"], "--data and --url"),
    ],
)
def test_a_wrong_command_line_exits_2_naming_the_option(run, digits, words, named):
    refused(run(*words), 2, named)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"{", "not JSON"), (b"[1]", "not a JSON object"), (b'"\xff"', "UTF-8"), (b"[" * 100_000, "")],
)
def test_a_features_file_that_cannot_be_read_is_wrong_usage(run, digits, content, why):
    words = ["experiment", "create", "--project", "digits", "e", "--features", "-"]
    refused(run(*words, stdin=content), 2, "--features", why)


@pytest.mark.parametrize("line", ['{"step": 1', "[]", '{"step": 1, "values": {}, "more": 2}'])
def test_a_line_of_scalars_that_cannot_be_read_is_named(run, family, line):
    lines = '{"step": 0, "values": {"loss": 1}}\n' + line
    refused(run("scalars", "log", family[0]["id"], "--file", "-", stdin=lines), 2, "line 2")


def test_nothing_is_kept_of_a_file_with_a_bad_line(run, ok, family):
    lines = '{"step": 0, "values": {"loss": 1}}\n{"step": "one", "values": {"loss": 1}}'
    refused(run("scalars", "log", family[0]["id"], "--file", "-", stdin=lines), 1, "step")
    assert ok("scalars", "list", family[0]["id"]) == []
