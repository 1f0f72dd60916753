"""The commands for projects, experiments, metrics and scalars."""


def test_a_project_is_shown_as_it_was_created(ok, digits):
    assert ok("project", "show", "digits") == ok("project", "show", digits["id"]) == digits
    assert digits["metrics"][0] == {
        "name": "loss", "direction": "minimize", "aggregation": "best", "label": None,
    }  # fmt: skip


def test_exist_ok_gives_the_project_that_is_there(ok, digits):
    assert ok("project", "create", "digits", "--exist-ok")["id"] == digits["id"]


def test_editing_a_project_replaces_only_what_is_given(ok, digits):
    edited = ok("project", "edit", "digits", "--description", "handwritten", "--display-metric", "acc")
    assert edited["description"] == "handwritten"
    assert edited["metrics"] == digits["metrics"]
    assert edited["settings"]["display_metrics"] == ["acc"]
    assert edited["settings"]["naming_patterns"] == digits["settings"]["naming_patterns"]


def test_a_project_has_several_naming_patterns_or_none(ok, digits):
    patterns = ("--naming-pattern", "run-{num}", "--naming-pattern", "{num}_{x}", "--replicate-key", "fold")
    settings = ok("project", "edit", "digits", *patterns)["settings"]
    assert (settings["naming_patterns"], settings["replicate_keys"]) == (["run-{num}", "{num}_{x}"], ["fold"])
    freed = ok("project", "edit", "digits", "--naming-pattern", "")
    assert freed["settings"] == {**settings, "naming_patterns": []}


def test_a_name_is_checked_without_creating_anything(ok, run, family):
    check = ok("project", "check-name", "digits", "{num}_from_1_x")
    assert (check["name"], check["parent_id"], check["is_taken"]) == ("5_from_1_x", family[0]["id"], False)
    told = run("project", "check-name", "digits", "9_from_8_x").stdout
    assert "none: no experiment of the project has the number or the name 8" in told
    assert len(ok("experiment", "list", "--project", "digits")) == len(family)


def test_what_is_odd_about_a_new_experiment_is_told_on_stderr(run, ok, digits):
    result = run("experiment", "create", "--project", "digits", "3_from_9_x", "--json")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: 3_from_9_x has no parent: ")
    assert result.stderr.count("\n") == 1


def test_further_parents_are_added_and_removed(ok, family):
    one, two, three, four = (member["id"] for member in family)
    made = ok("experiment", "create", "--project", "digits", "5_from_1_x", "--merged-from", "3_from_2_deep")
    assert (made["parent_id"], made["merged_from"]) == (one, [three])
    edit = ("experiment", "edit", made["id"])
    assert ok(*edit, "--merged-from", two, "--merged-from", four)["merged_from"] == [two, three, four]
    assert ok(*edit, "--remove-merged", three)["merged_from"] == [two, four]
    assert ok("experiment", "show", made["id"])["merged_from"] == [two, four]


def test_an_experiment_keeps_what_it_was_created_with(ok, digits, tmp_path):
    (tmp_path / "features.json").write_text('{"Optimizer": {"lr": 0.1}}')
    (tmp_path / "changes.diff").write_text("+ one line\n")
    made = ok(
        "experiment", "create", "--project", "digits", "a", "--param", "lr=0.1", "--param", "deep=true",
        "--param", "opt=adam", "--param", "note=null", "--features", "features.json",
        "--tag", "x", "--tag", "y", "--git-diff", "changes.diff",
        "--color", "#123456", "--progress", "50", "--status", "running",
    )  # fmt: skip
    assert made["params"] == {"lr": 0.1, "deep": True, "opt": "adam", "note": None}
    assert made["features"] == {"Optimizer": {"lr": 0.1}}
    assert (made["tags"], made["git_diff"], made["color"]) == (["x", "y"], "+ one line\n", "#123456")
    assert (made["progress"], made["status"]) == (50.0, "running")
    assert made["started_at"].endswith("Z")
    assert ok("experiment", "show", made["id"]).items() >= made.items()


def test_an_experiment_answers_to_id_prefix_and_name(ok, digits):
    made = ok("experiment", "create", "--project", "digits", "a")
    for words in ([made["id"]], [made["id"][:12]], ["a", "--project", "digits"]):
        assert ok("experiment", "show", *words)["id"] == made["id"]


def test_a_prefix_that_several_share_is_refused_with_the_candidates(run, family):
    result = run("experiment", "show", family[0]["id"][:4])
    assert result.exit_code == 1
    assert family[0]["id"] in result.stderr
    assert "give one of these ids" in result.stderr


def test_editing_an_experiment_adds_and_removes_params_and_tags(ok, family):
    first = family[0]["id"]
    ok("experiment", "edit", first, "--param", "lr=1", "--param", "b=2", "--tag", "x", "--tag", "y")
    edited = ok("experiment", "edit", first, "--param", "lr=3", "--remove-param", "b", "--remove-tag", "x")
    assert edited["params"] == {"lr": 3}
    assert edited["tags"] == ["y"]


def test_a_parent_is_taken_from_the_name_set_and_taken_away(ok, family):
    root, child = family[0]["id"], family[1]["id"]
    assert family[1]["parent_id"] == root
    assert ok("experiment", "edit", child, "--no-parent")["parent_id"] is None
    assert ok("experiment", "edit", child, "--parent", "1_baseline")["parent_id"] == root


def test_the_life_of_an_experiment(ok, run, family):
    first = family[0]["id"]
    assert ok("experiment", "start", first)["status"] == "running"
    assert ok("experiment", "complete", first)["completed_at"] is not None
    assert ok("experiment", "fail", first)["status"] == "failed"
    refused = run("experiment", "edit", first, "--status", "planned")
    assert refused.exit_code == 1
    assert "cannot become planned" in refused.stderr


def test_lists_are_filtered_by_status_tag_name_and_project(ok, family):
    ok("experiment", "start", family[1]["id"])
    ok("experiment", "edit", family[2]["id"], "--tag", "seed")
    ok("project", "create", "other")
    for options, expected in (
        (["--status", "running"], [family[1]]),
        (["--tag", "seed"], [family[2]]),
        (["--name", "1_baseline"], [family[0]]),
        (["--project", "digits"], family),
        (["--project", "other"], []),
    ):
        found = ok("experiment", "list", *options)
        assert [row["id"] for row in found] == [row["id"] for row in expected]


def test_the_tree_draws_children_below_their_parent(run, ok, family):
    drawn = run("experiment", "tree", "--project", "digits").stdout.splitlines()[1:]
    names = [line.split("  planned")[0].rstrip() for line in drawn]
    assert names == ["1_baseline", "├─ 2_from_1_wide", "│  └─ 3_from_2_deep", "└─ 4_from_1_slow"]
    assert [row["depth"] for row in ok("experiment", "tree")] == [0, 1, 2, 1]


def test_reordering_puts_the_named_ones_first(ok, family):
    ordered = ok("experiment", "reorder", "--project", "digits", "4_from_1_slow", family[2]["id"])
    assert [row["name"][0] for row in ordered] == ["4", "3", "1", "2"]


def test_metrics_are_logged_listed_and_compared(ok, run, family):
    first = family[0]["id"]
    run("metric", "log", first, "loss", "0.5")
    run("metric", "log", "1_baseline", "loss", "0.25", "--step", "2", "--project", "digits")
    assert ok("metric", "log", first, "reward", "--", "-3.5")["value"] == -3.5
    assert [row["value"] for row in ok("metric", "list", first)] == [0.5, 0.25, -3.5]
    (cell,) = ok("metric", "table", "--project", "digits")
    assert (cell["experiment_id"], cell["value"], cell["step"]) == (first, 0.25, 2)
    table = run("metric", "table", "--project", "digits").stdout
    assert table.splitlines()[0].split() == ["id", "name", "status", "loss", "acc"]
    assert table.splitlines()[1].split()[-1] == "0.25"


def test_scalars_are_logged_listed_and_drawn(ok, run, family, tmp_path):
    first = family[0]["id"]
    (tmp_path / "points.jsonl").write_text(
        '{"step": 1, "values": {"loss": 2, "acc": 0.5}}\n\n'
        '{"step": 2, "values": {"loss": 1}, "tags": ["best"]}\n'
    )
    assert run("scalars", "log", first, "loss=3", "acc=nan", "--step", "0").exit_code == 0
    assert run("scalars", "log", first, "--file", "points.jsonl").exit_code == 0
    rows = {row["name"]: row for row in ok("scalars", "list", first)}
    assert (rows["loss"]["count"], rows["loss"]["min_value"], rows["loss"]["last_value"]) == (3, 1.0, 1.0)
    (series,) = ok("scalars", "show", first, "acc")
    assert (series["step"], series["value"]) == ([0, 1], ["NaN", 0.5])
    drawn = run("scalars", "show", first, "loss").stdout
    assert "first 3  last 1  min 1  max 3  points 3" in drawn
    assert "█" in drawn


def test_every_table_shows_whole_ids(run, family):
    for words in (["project", "list"], ["experiment", "list"], ["experiment", "tree"]):
        assert "…" not in run(*words).stdout
    assert all(row["id"] in run("experiment", "list").stdout for row in family)


def test_names_cannot_steer_the_terminal(run, digits):
    run("experiment", "create", "--project", "digits", "\x1b[2Jgone")
    shown = run("experiment", "list").stdout
    assert "\x1b" not in shown
    assert r"\x1b[2Jgone" in shown


def test_empty_lists_say_what_fills_them_on_stderr(run, ok):
    result = run("project", "list")
    assert (result.stdout, result.exit_code) == ("", 0)
    assert "tracker project create" in result.stderr
    assert ok("project", "list") == ok("experiment", "list") == ok("experiment", "tree") == []


def test_deleting_reaches_what_hangs_on_it(run, ok, family):
    assert run("experiment", "delete", family[1]["id"], "--yes").exit_code == 0
    assert ok("experiment", "show", family[2]["id"])["parent_id"] == family[0]["id"]
    assert run("project", "delete", "digits", "--yes").exit_code == 0
    assert ok("experiment", "list") == []


def test_deleting_where_nobody_can_answer_needs_yes(run, ok, family):
    for words in (["project", "delete", "digits"], ["experiment", "delete", family[0]["id"]]):
        result = run(*words)
        assert result.exit_code == 2
        assert "--yes" in result.stderr
    assert len(ok("experiment", "list")) == len(family)
