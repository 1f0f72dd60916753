"""The commands for users, teams, permissions and the audit log, on a folder."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing

import pytest

import tracker
from entrypoints.cli.audit import entries
from tests.service.cli.test_cli_refusals import UNKNOWN, refused

PASSWORD = "correct horse battery"
ANN, BEN = "ann@example.org", "ben@example.org"


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A folder for tests that change nothing."""
    folder = tmp_path_factory.mktemp("lived-in")
    with tracker.open(folder) as library:
        library.users.create(ANN)
        library.teams.create("vision")
        library.projects.create("digits")
    return folder


@pytest.fixture
def run_there(run, lived_in):
    """Runs a command on that folder, or without one if it takes none."""

    def run_there(*words, **others):
        place = () if words[0] in ("login", "logout") else ("--data", str(lived_in))
        return run(*words, *place, **others)

    return run_there


@pytest.fixture
def ann(ok):
    return ok("user", "create", ANN, "--no-password", "--name", "Ann")


@pytest.fixture
def ben(ok):
    return ok("user", "create", "--email", BEN, "--no-password", "--admin")


@pytest.fixture
def team(ok):
    return ok("team", "create", "vision", "--description", "pictures")


def test_the_first_administrator_is_made_with_the_password_on_stdin(run, tmp_path):
    made = run("user", "create", "--admin", "--email", ANN, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.output
    assert "administrator" in made.stdout
    assert PASSWORD not in made.output
    assert stat.S_IMODE((tmp_path / "data" / "tracker.db").stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / "data" / "tracker.db")) as database:
        (kept,) = database.execute("SELECT password_hash FROM users WHERE email = ?", (ANN,)).fetchone()
    assert kept.startswith("$argon2id$")


def test_a_user_answers_to_id_and_email_and_shows_no_secret(ok, ann):
    assert ok("user", "show", ANN.upper()) == ok("user", "show", ann["id"]) == ann
    assert ann["display_name"] == "Ann"
    assert not [name for name in ann if "password" in name or "hash" in name]
    assert [user["email"] for user in ok("user", "list")] == ["local@localhost", ANN]


def test_a_user_is_changed_kept_out_let_in_and_deleted(run, ok, ann, ben):
    assert ok("user", "edit", ANN, "--name", "A.", "--admin")["is_superuser"] is True
    assert ok("user", "deactivate", ANN)["is_active"] is False
    assert ok("user", "activate", ANN)["is_active"] is True
    assert run("user", "delete", ANN, "--yes").exit_code == 0
    refused(run("user", "show", ANN), 1, "not found")


def test_another_password_is_kept(run, ann, tmp_path):
    done = run("user", "set-password", ANN, "--password-stdin", stdin=PASSWORD)
    assert (done.exit_code, PASSWORD in done.output) == (0, False)
    with closing(sqlite3.connect(tmp_path / "data" / "tracker.db")) as database:
        (kept,) = database.execute("SELECT password_hash FROM users WHERE email = ?", (ANN,)).fetchone()
    assert kept.startswith("$argon2id$")


def test_who_owns_something_is_deleted_with_a_decision_alone(run, ok, ann, ben, digits):
    assert ok("project", "transfer", "digits", ANN)["owner_id"] == ann["id"]
    refused(run("user", "delete", ANN, "--yes"), 1, "owns 1 projects")
    assert run("user", "delete", ANN, "--transfer-to", BEN, "--yes").exit_code == 0
    assert ok("project", "show", "digits")["owner_id"] == ben["id"]


def test_members_come_change_inherit_and_go(run, ok, ann, ben, team):
    assert ok("team", "add", "vision", ANN, "member")[0]["email"] == ANN
    assert ok("team", "add", team["id"], ben["id"], "viewer")[0]["role"] == "viewer"
    assert ok("team", "change", "vision", BEN, "admin")[0]["role"] == "admin"
    assert {m["email"]: m["role"] for m in ok("team", "transfer", "vision", ANN)}[ANN] == "owner"
    assert run("team", "remove", "vision", BEN, "--yes").exit_code == 0
    shown = ok("team", "show", "vision")
    assert (shown["name"], [member["email"] for member in shown["members"]]) == (
        "vision", ["local@localhost", ANN],
    )  # fmt: skip
    assert "member" not in run("team", "show", "vision").stdout.splitlines()[0]


def test_a_team_is_renamed_and_deleted(run, ok, team):
    assert ok("team", "edit", "vision", "--name", "sight")["description"] == "pictures"
    assert [each["name"] for each in ok("team", "list")] == ["sight"]
    assert run("team", "delete", "sight", "--yes").exit_code == 0
    assert ok("team", "list") == []


def test_a_project_moves_between_teams(ok, team):
    made = ok("project", "create", "digits", "--team", "vision")
    assert made["team_id"] == team["id"]
    assert ok("project", "edit", "digits", "--no-team")["team_id"] is None
    assert ok("project", "edit", "digits", "--team", team["id"])["team_id"] == team["id"]


def test_a_project_is_shared_and_no_longer(run, ok, ann, digits):
    assert ok("project", "share", "digits", ANN, "viewer")[0]["role"] == "viewer"
    assert [member["email"] for member in ok("project", "members", "digits")] == [ANN]
    assert run("project", "unshare", "digits", ANN, "--yes").exit_code == 0
    assert ok("project", "members", "digits") == []


def test_explain_says_why_by_word_and_exit_code(run, ok, ann, digits):
    words = ("permission", "explain", ANN, "scalars.log", "--project", "digits")
    refusal = run(*words)
    assert (refusal.exit_code, refusal.stdout) == (1, "no: no role and no grant there has scalars.log\n")
    ok("project", "share", "digits", ANN, "member")
    assert (run(*words).exit_code, run(*words).stdout.split(":")[0]) == (0, "yes")
    denied = ok("permission", "deny", ANN, "scalars.log", "--project", "digits", "--until", "2999-01-01")
    assert denied["until"] == "2999-01-01T00:00:00Z"
    assert run(*words).exit_code == 1
    assert [grant["id"] for grant in ok("permission", "list", "--project", "digits")] == [denied["id"]]
    assert run("permission", "withdraw", denied["id"]).exit_code == 0
    answer = ok(*words)
    assert (answer["allowed"], answer["reason"], answer["role"]) == (True, "role_on_project", "member")


def test_an_action_is_granted_in_a_team(ok, ann, team):
    ok("permission", "grant", ANN, "teams.view", "--team", "vision")
    assert ok("permission", "explain", ANN, "teams.view", "--team", "vision")["reason"] == "allowed_on_team"


def test_the_audit_log_is_listed_and_exported_whole(run, ok, ann, digits):
    ok("project", "edit", "digits", "--description", "why")
    whole = ok("audit", "list")
    assert [entry["what"] for entry in whole] == ["user.create", "project.create", "project.edit"]
    assert {entry["origin"] for entry in whole} == {"shell"}
    assert ok("audit", "list", "--after", "1", "--limit", "1") == whole[1:2]
    assert [entry["number"] for entry in ok("audit", "list", "--project", "digits")] == [2, 3]
    lines = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [line["digest"] for line in lines] == [entry["digest"] for entry in whole]


def test_no_entry_is_lost_between_two_pages(lived_in):
    with tracker.open(lived_in) as library:
        whole = library.audit.list()
        assert len(whole) >= 3
        for at_once in (1, 2, len(whole), 1000):
            assert tuple(entries(library, {}, at_once=at_once)) == whole


def test_a_log_that_was_changed_or_cut_off_is_found(run, ok, ann, digits, tmp_path):
    head = run("audit", "verify").stdout.strip()
    assert run("audit", "verify", "--head", head).exit_code == 0
    with closing(sqlite3.connect(tmp_path / "data" / "tracker.db")) as database, database:
        database.execute("DELETE FROM audit WHERE number = 2")
    cut = run("audit", "verify", "--head", head)
    assert (cut.exit_code, cut.stdout.startswith("1:")) == (1, True)
    assert "cut off" in cut.stderr
    with closing(sqlite3.connect(tmp_path / "data" / "tracker.db")) as database, database:
        database.execute("UPDATE audit SET what = 'user.delete' WHERE number = 1")
    assert run("audit", "verify").exit_code == 1
    assert "was changed" in run("audit", "verify").stderr


def test_keys_are_made_kept_for_open_sessions_and_dropped_at_once(run, ok, tmp_path):
    assert ok("keys", "rotate")["keys"] == 1
    assert ok("keys", "rotate")["keys"] == 2
    refused(run("keys", "rotate", "--now"), 2, "--yes")
    assert ok("keys", "rotate", "--now", "--yes")["keys"] == 1
    assert stat.S_IMODE((tmp_path / "data" / "signing-keys.json").stat().st_mode) == 0o600


def test_the_doctor_names_what_keeps_accounts_from_being_safe(run, ok, ann, tmp_path):
    ok("keys", "rotate")
    for name in ("tracker.db", "signing-keys.json"):
        (tmp_path / "data" / name).chmod(0o644)
    result = run("doctor", "--json")
    found = {each["name"]: each for each in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert found["database file"]["mend"] == f"chmod 600 {tmp_path / 'data' / 'tracker.db'}"
    assert found["signing keys"]["mend"] == f"chmod 600 {tmp_path / 'data' / 'signing-keys.json'}"
    assert found["administrator"]["mend"].startswith("tracker user create --admin")
    assert found["extra"]["state"] == "ok"


def test_the_doctor_says_nothing_of_accounts_where_there_are_none(run, digits):
    assert "administrator" not in run("doctor").stdout


def test_the_owner_of_a_folder_is_nobody_special(ok):
    assert ok("whoami")["email"] == "local@localhost"


@pytest.mark.parametrize(
    ("words", "stdin", "named"),
    [
        (["user", "create", "x@example.org", "--password-stdin"], "short\n", "at least 8"),
        (["user", "create", "x@example.org", "--password-stdin"], "x@example.org", "password"),
        (["user", "create", "nonsense", "--no-password"], None, "e-mail"),
        (["user", "create", ANN, "--no-password"], None, "tracker user list"),
        (["user", "show", "nobody@example.org"], None, "not found"),
        (["user", "show", UNKNOWN], None, "tracker user list"),
        (["user", "edit", "local@localhost", "--admin"], None, "local user"),
        (["team", "show", "nothing"], None, "tracker team list"),
        (["team", "add", "vision", "nobody@example.org", "member"], None, "tracker user list"),
        (["team", "change", "vision", ANN, "viewer"], None, "tracker team show"),
        (["team", "remove", "vision", "local@localhost", "--yes"], None, "owner"),
        (["project", "edit", "digits", "--team", "nothing"], None, "tracker team list"),
        (["permission", "withdraw", UNKNOWN], None, "tracker permission list"),
        (
            ["permission", "deny", ANN, "teams.view", "--team", "vision", "--until", "2001-01-01"],
            None,
            "past",
        ),
        (["token", "create", "t", "--scope", "*"], None, "tracker user create"),
        (["token", "revoke", "nothing", "--yes"], None, "tracker token list"),
        (["audit", "verify", "--head", "nonsense"], None, "number:digest"),
        (["logout", "http://127.0.0.1:9"], None, "tracker login http://127.0.0.1:9"),
        (["login", "ftp://host", "--token-stdin"], "x", "url"),
    ],
)
def test_wrong_input_is_refused_in_one_line(run_there, words, stdin, named):
    result = run_there(*words, stdin=stdin)
    refused(result, 1, named)
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["user", "create"], "EMAIL"),
        (["user", "create", "a@example.org", "--email", "b@example.org"], "once"),
        (["user", "create", "a@example.org"], "--password-stdin"),
        (["user", "create", "a@example.org", "--password-stdin"], "no password on stdin"),
        (["user", "create", "a@example.org", "--password", "x"], "--password"),
        (["user", "delete", ANN], "--yes"),
        (["user", "delete", ANN, "--transfer-to", ANN, "--delete-everything"], "exclude"),
        (["team", "add", "vision", ANN, "owner"], "ROLE"),
        (["team", "delete", "vision"], "--yes"),
        (["team", "remove", "vision", ANN], "--yes"),
        (["permission", "grant", ANN, "fly", "--team", "vision"], "ACTION"),
        (["permission", "grant", ANN, "teams.view"], "--project or --team"),
        (
            ["permission", "explain", ANN, "teams.view", "--team", "a", "--project", "b"],
            "--project or --team",
        ),
        (["token", "create", "t"], "--scope"),
        (["token", "create", "t", "--scope", "*", "--expires-in-days", "0"], "--expires-in-days"),
        (["audit", "list", "--limit", "0"], "--limit"),
        (["login", "http://127.0.0.1:9"], "--email"),
        (["login", "http://127.0.0.1:9", "--token-stdin", "--session"], "--token-stdin"),
    ],
)
def test_a_wrong_command_line_exits_2_naming_the_option(run_there, words, named):
    refused(run_there(*words), 2, named)
