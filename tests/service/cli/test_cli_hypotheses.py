"""The commands for hypotheses."""

from __future__ import annotations

import pytest

import tracker

pytestmark = pytest.mark.slow  # each opens a folder several times


@pytest.fixture
def claim(ok, digits):
    """Three seeds of a wide network against three of a narrow one, and a hypothesis about them."""
    values = {"narrow": (0.50, 0.51, 0.49), "wide": (0.60, 0.61, 0.62)}
    for kind, accuracies in values.items():
        for seed, value in enumerate(accuracies):
            name = f"{kind}{seed}"
            ok(
                "experiment", "create", "--project", "digits", name, "--status", "complete",
                "--param", f"kind={kind}", "--param", f"seed={seed}",
            )  # fmt: skip
            ok("metric", "log", name, "acc", str(value), "--project", "digits")
    return ok(
        "hypothesis", "add", "wider is better", "--project", "digits", "--target", "acc",
        "--target", "loss::0.5", "--baseline", "narrow0", "--experiment", "wide0",
    )  # fmt: skip


def test_a_hypothesis_is_added_as_told(ok, claim):
    assert [(t["name"], t["direction"], t["weight"]) for t in claim["targets"]] == [
        ("acc", None, 1.0), ("loss", None, 0.5),
    ]  # fmt: skip
    assert (claim["threshold"], claim["alpha"], claim["author"]) == (0.2, 0.05, "Local user")
    assert len(claim["experiments"]) == 1
    narrow = ok("experiment", "show", "narrow0", "--project", "digits")
    assert claim["baseline"] == narrow["id"]


def test_it_answers_to_id_prefix_and_title(ok, claim):
    for key in (claim["id"], claim["id"][:13], "wider is better"):
        assert ok("hypothesis", "show", key)["id"] == claim["id"]
    assert ok("hypothesis", "show", "wider is better", "--project", "digits")["id"] == claim["id"]


def test_linking_more_seeds_gives_an_interval_and_a_plot(ok, run, claim):
    linked = ok("hypothesis", "link", claim["id"], "wide1", "wide2")
    assert (linked["status"], linked["headline"]["n"]) == ("supported", 3)
    shown = run("hypothesis", "show", claim["id"]).stdout
    assert "wide0 ×3 / narrow0 ×3" in shown
    low, high = linked["headline"]["interval"]
    assert f"+0.11  [{low:+.3g}, {high:+.3g}]" in shown
    assert "├" in shown and "■" in shown and "┤" in shown and "◆" in shown
    assert "interval of the improvement" in shown
    back = ok("hypothesis", "unlink", claim["id"], "wide1")
    assert len(back["experiments"]) == 2
    refused = run("hypothesis", "unlink", claim["id"], "wide1")
    assert refused.exit_code == 1 and "is not linked" in refused.stderr


def test_a_decision_is_listed_beside_what_is_computed(ok, run, claim):
    decided = ok("hypothesis", "decide", claim["id"], "refuted", "--reason", "too slow")
    assert (decided["status"], decided["computed_status"]) == ("refuted", "supported")
    assert "refuted (computed: supported)" in run("hypothesis", "list").stdout
    assert [row["id"] for row in ok("hypothesis", "list", "--status", "refuted")] == [claim["id"]]
    assert ok("hypothesis", "list", "--status", "supported") == []
    ok("hypothesis", "decide", claim["id"], "computed", "--reason", "it is fast now")
    shown = ok("hypothesis", "show", claim["id"])
    assert [one["status"] for one in shown["decisions"]] == ["refuted", None]
    text = run("hypothesis", "show", claim["id"]).stdout
    assert "refuted  too slow" in text and "computed  it is fast now" in text
    assert run("hypothesis", "decide", claim["id"], "refuted").exit_code == 2


def test_editing_replaces_only_what_is_given(ok, run, claim):
    edited = ok(
        "hypothesis", "edit", claim["id"], "--title", "b", "--target", "acc:minimize", "--baseline", "best"
    )
    assert (edited["title"], edited["baseline"], edited["threshold"]) == ("b", "best", 0.2)
    assert [(t["name"], t["direction"]) for t in edited["targets"]] == [("acc", "minimize")]
    assert edited["experiments"] == claim["experiments"]
    assert run("hypothesis", "edit", "b").exit_code == 2
    assert run("hypothesis", "edit", "b", "--target", "acc:sideways").exit_code == 2
    refused = run("hypothesis", "edit", "b", "--threshold", "2")
    assert refused.exit_code == 1 and "threshold" in refused.stderr


def test_deleting_leaves_the_experiments(ok, run, claim):
    assert run("hypothesis", "delete", claim["id"]).exit_code == 2
    assert run("hypothesis", "delete", claim["id"], "--yes").exit_code == 0
    assert ok("hypothesis", "list") == []
    assert len(ok("experiment", "list")) == 6
    gone = run("hypothesis", "show", claim["id"])
    assert gone.exit_code == 1 and "tracker hypothesis list" in gone.stderr


def test_an_experiment_that_is_not_there_links_nothing(ok, run, claim):
    result = run("hypothesis", "link", claim["id"], "wide1", "nonsense")
    assert result.exit_code == 1
    assert ok("hypothesis", "show", claim["id"])["experiments"] == claim["experiments"]


def test_a_saved_query_links_what_it_finds(ok, run, claim, tmp_path):
    with tracker.open(tmp_path / "data") as library:
        (project,) = library.projects.list()
        library.queries.save(project.id, name="wide ones", filter='params.kind = "wide"')
    linked = ok("hypothesis", "link", claim["id"], "--query", "wide ones")
    assert (len(linked["queries"]), linked["headline"]["n"]) == (1, 3)
    assert ok("hypothesis", "unlink", claim["id"], "--query", "wide ones")["headline"]["n"] == 1
    added = ok("hypothesis", "add", "b", "--project", "digits", "--query", "wide ones")
    assert added["queries"] == linked["queries"]
    assert run("hypothesis", "link", claim["id"]).exit_code == 2
    assert run("hypothesis", "link", claim["id"], "--query", "nonsense").exit_code == 1
