"""The command line against a team's server in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import pty
import re
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tracker
from entrypoints.cli.main import cli
from tracker.credentials import Credentials
from tracker.remote_identity import log_in

pytestmark = pytest.mark.slow  # a server and its processes, for half a minute

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
ADMIN, ANN = "root@example.org", "ann@example.org"
GONE = "http://127.0.0.1:9"

Shell = Callable[..., Result]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "tracker", *words]


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of somebody whose own settings are in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    kept.pop("DATABASE_URL", None)
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder), **variables}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an administrator and a user."""
    folder = tmp_path_factory.mktemp("team") / "data"
    with tracker.open(folder) as library:
        library.users.create(ADMIN, PASSWORD, is_superuser=True)
        library.users.create(ANN, PASSWORD)
    return folder


@pytest.fixture(scope="module")
def log(data: Path) -> Path:
    """What the server writes."""
    return data.parent / "server.log"


@pytest.fixture(scope="module")
def url(data: Path, log: Path) -> Iterator[str]:
    """Where a server over that folder answers."""
    words = command("--data", str(data), "server", "--port", "0")
    variables = environment(data, TRACKER_AUTH="required", TRACKER_LOG_FORMAT="json")
    with log.open("w") as file, subprocess.Popen(words, env=variables, stderr=file) as process:
        while not (said := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield said[0]
        process.terminate()


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Shell]:
    """Makes shells of people; what each is logged in to is in a folder of their own."""
    for name in ("DATABASE_URL", "TRACKER_DATA", "TRACKER_URL", "TRACKER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def shell(name: str) -> Shell:
        def run(*words: str, stdin: str | None = None, code: int | None = 0, **variables: str) -> Result:
            env = {"XDG_CONFIG_HOME": str(tmp_path / name), **variables}
            result = CliRunner(env=env).invoke(cli, words, input=stdin, prog_name="tracker")
            assert code is None or result.exit_code == code, result.output
            assert PASSWORD not in result.output
            return result

        return run

    return shell


@pytest.fixture(scope="module")
def logins(url: str) -> dict[str, str]:
    """A session of each, since a login takes its time on purpose."""
    return {email: asyncio.run(log_in(url, email, PASSWORD)) for email in (ADMIN, ANN)}


@pytest.fixture
def root(person: Callable[[str], Shell], url: str, logins: dict[str, str], tmp_path: Path) -> Shell:
    """The administrator, logged in in person."""
    Credentials(credentials(tmp_path, "root")).keep(url, logins[ADMIN])
    run = person("root")
    return lambda *words, **others: run("--url", url, *words, **others)


@pytest.fixture
def ann(person: Callable[[str], Shell], url: str, logins: dict[str, str], tmp_path: Path) -> Shell:
    """A user, with a token of all scopes as a login makes it."""
    with tracker.open(url=url, token=logins[ANN]) as library:
        made = library.tokens.create("login", scopes=["*"], expires_in_days=90)
    Credentials(credentials(tmp_path, "ann")).keep(url, made.token)
    run = person("ann")
    return lambda *words, **others: run("--url", url, *words, **others)


def credentials(tmp_path: Path, name: str) -> Path:
    return tmp_path / name / "tracker" / "credentials.json"


def test_a_login_keeps_a_token_that_nobody_else_can_read(
    person: Callable[[str], Shell], url: str, log: Path, tmp_path: Path
) -> None:
    run = person("new")
    run("login", url, "--email", ANN, "--password-stdin", stdin=f"{PASSWORD}\n")
    file = credentials(tmp_path, "new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    token = json.loads(file.read_text())["servers"][url]["token"]
    assert token.startswith("pat_")
    assert json.loads(run("--url", url, "whoami", "--json").stdout)["email"] == ANN
    assert token not in log.read_text() and PASSWORD not in log.read_text()
    newest = json.loads(run("--url", url, "token", "list", "--json").stdout)[-1]
    assert platform.node() in newest["name"]
    assert newest["expires_at"][:10] > newest["created_at"][:10]


def test_logging_in_again_ends_the_token_before(ann: Shell, url: str, tmp_path: Path) -> None:
    before = json.loads(credentials(tmp_path, "ann").read_text())["servers"][url]["token"]
    ann("login", url, "--email", ANN, "--password-stdin", stdin=PASSWORD)
    refusal = ann("whoami", code=1, TRACKER_TOKEN=before)
    assert "revoked" in refusal.stderr and "tracker login" in refusal.stderr


def test_a_logout_revokes_and_forgets(ann: Shell, url: str, tmp_path: Path) -> None:
    token = json.loads(credentials(tmp_path, "ann").read_text())["servers"][url]["token"]
    ann("logout", f"{url}/")
    assert "tracker login" in ann("whoami", code=1).stderr
    ann("whoami", code=1, TRACKER_TOKEN=token)
    assert "nobody is logged in" in ann("logout", url, code=1).stderr


def test_a_session_that_is_logged_out_has_ended(
    person: Callable[[str], Shell], url: str, tmp_path: Path
) -> None:
    run = person("new")
    run("login", url, "--email", ADMIN, "--password-stdin", "--session", stdin=PASSWORD)
    token = json.loads(credentials(tmp_path, "new").read_text())["servers"][url]["token"]
    run("--url", url, "user", "list")
    run("logout", url)
    assert "log in again" in run("--url", url, "whoami", code=1, TRACKER_TOKEN=token).stderr


def test_a_token_is_kept_from_stdin_once_it_is_known_to_hold(
    person: Callable[[str], Shell], ann: Shell, url: str
) -> None:
    made = ann("token", "create", "ci", "--scope", "project.view", "--expires-in-days", "1").stdout.strip()
    ci = person("ci")
    ci("login", url, "--token-stdin", stdin=made)
    assert ANN in ci("--url", url, "whoami").stdout
    assert "not valid" in person("x")("login", url, "--token-stdin", stdin="pat_nonsense", code=1).stderr


@pytest.mark.parametrize(("email", "password"), [(ADMIN, "wrong horse"), ("nobody@example.org", PASSWORD)])
def test_a_login_that_does_not_hold_is_refused_in_one_line(
    person: Callable[[str], Shell], url: str, tmp_path: Path, email: str, password: str
) -> None:
    refusal = person("x")("login", url, "--email", email, "--password-stdin", stdin=password, code=1)
    assert refusal.stderr == "tracker: the e-mail address or the password is wrong\n"
    assert not credentials(tmp_path, "x").exists()


def test_a_file_that_others_can_read_is_refused_and_the_fix_told(
    ann: Shell, url: str, tmp_path: Path
) -> None:
    file = credentials(tmp_path, "ann")
    file.chmod(0o644)
    for words in (["whoami"], ["logout", url], ["project", "list"]):
        assert f"chmod 600 {file}" in ann(*words, code=1).stderr
    file.chmod(0o600)
    ann("whoami")


def test_the_doctor_tells_a_stranger_how_to_log_in(
    person: Callable[[str], Shell], ann: Shell, url: str
) -> None:
    assert f"tracker login {url}" in person("x")("doctor", "--url", url, code=1).stdout
    assert "answers" in ann("doctor").stdout


def test_a_file_of_something_else_is_refused(ann: Shell, tmp_path: Path) -> None:
    credentials(tmp_path, "ann").write_text("[]")
    assert "does not hold tokens" in ann("whoami", code=1).stderr


def test_a_token_is_printed_alone_and_does_no_more_than_its_scopes(ann: Shell) -> None:
    made = ann(
        "token", "create", "ci", "--scope", "project.view", "--scope", "projects.create",
        "--expires-in-days", "1",
    )  # fmt: skip
    assert re.fullmatch(r"pat_\S+\n", made.stdout)
    token = made.stdout.strip()
    project = json.loads(ann("project", "create", "p", "--json", TRACKER_TOKEN=token).stdout)
    words = ("experiment", "create", "a", "--project", project["id"])
    assert "lacks the scope experiments" in ann(*words, code=1, TRACKER_TOKEN=token).stderr
    kept = [each for each in json.loads(ann("token", "list", "--json").stdout) if each["name"] == "ci"][-1]
    assert "token" not in kept and token not in ann("token", "list").output
    edited = json.loads(ann("token", "edit", kept["id"], "--scope", "experiments.*", "--json").stdout)
    assert {scope.partition(".")[0] for scope in edited["scopes"]} == {"experiments"}
    ann("token", "revoke", kept["id"], "--yes")
    assert "tracker login" in ann("whoami", code=1, TRACKER_TOKEN=token).stderr


def test_a_token_that_outlives_the_login_is_refused_with_the_way_out(ann: Shell) -> None:
    refusal = ann("token", "create", "ci", "--scope", "*", code=1)
    assert "ends earlier" in refusal.stderr and "--session" in refusal.stderr


def test_a_token_that_has_run_out_is_refused(ann: Shell, data: Path) -> None:
    made = json.loads(
        ann("token", "create", "old", "--scope", "*", "--expires-in-days", "1", "--json").stdout
    )
    ann("whoami", TRACKER_TOKEN=made["token"])
    with closing(sqlite3.connect(data / "tracker.db", timeout=30)) as database, database:
        past = "2001-01-01 00:00:00.000000"
        changed = database.execute(
            "UPDATE api_tokens SET expires_at = ? WHERE name = 'old' AND expires_at IS NOT NULL", (past,)
        )
        assert changed.rowcount == 1
        database.execute("UPDATE standing_changes SET changes = changes + 1")
    assert "has run out" in ann("whoami", code=1, TRACKER_TOKEN=made["token"]).stderr


def test_users_are_administered_in_person_alone(
    root: Shell, ann: Shell, person: Callable[[str], Shell], url: str
):
    made = root("user", "create", "new@example.org", "--no-password", "--json")
    assert json.loads(made.stdout)["email"] == "new@example.org"
    assert "administrators" in ann("user", "list", code=1).stderr
    by_token = person("token")
    by_token("login", url, "--email", ADMIN, "--password-stdin", stdin=PASSWORD)
    refusal = by_token("--url", url, "user", "list", code=1)
    assert "tracker login URL --session" in refusal.stderr
    root("user", "deactivate", "new@example.org")
    root("user", "delete", "new@example.org", "--yes")


def test_a_team_shares_a_project_as_far_as_its_roles_go(root: Shell, ann: Shell) -> None:
    root("team", "create", "vision")
    root("project", "create", "digits", "--team", "vision")
    assert "tracker project list" in ann("project", "show", "digits", code=1).stderr
    root("team", "add", "vision", ANN, "viewer")
    ann("project", "show", "digits")
    create = ("experiment", "create", "1_baseline", "--project", "digits")
    assert "experiments.create" in ann(*create, code=1).stderr
    explain = ("permission", "explain", ANN, "experiments.create", "--project", "digits")
    assert ann(*explain, code=1).stdout == root(*explain, code=1).stdout
    root("team", "change", "vision", ANN, "member")
    ann(*create)
    root("permission", "deny", ANN, "experiments.create", "--project", "digits")
    assert "denied explicitly" in ann(*explain, code=1).stdout
    assert "teams.manage" in ann("permission", "list", "--project", "digits", code=1).stderr
    log = [json.loads(line) for line in root("audit", "export", "--team", "vision").stdout.splitlines()]
    told = [entry["what"] for entry in log]
    assert told[:3] == ["team.create", "project.create", "team.member.add"]
    assert told[-1] == "permission.deny"
    assert "for its owner" in ann("audit", "list", "--project", "digits", code=1).stderr
    head = root("audit", "verify").stdout.strip()
    root("audit", "verify", "--head", head)


def test_a_server_that_is_gone_exits_3_and_forgets_only_what_it_is_told_to(
    ann: Shell, person: Callable[[str], Shell], url: str, tmp_path: Path
) -> None:
    file = credentials(tmp_path, "ann")
    file.write_text(file.read_text().replace(url, GONE))
    for words in (["logout", GONE], ["login", GONE, "--email", ANN, "--password-stdin"]):
        refusal = person("ann")(*words, stdin=PASSWORD, code=3)
        assert "does not answer" in refusal.stderr and len(refusal.stderr.splitlines()) == 1
    assert GONE in file.read_text()
    person("ann")("logout", GONE, "--local")
    assert GONE not in file.read_text()


def typed(words: list[str], variables: dict[str, str], *answers: str) -> tuple[int, str]:
    """Exit code and terminal of a command whose questions somebody answers."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], words, variables)
    shown, waiting = "", list(answers)
    with os.fdopen(terminal, "r+b", buffering=0) as file:
        while True:
            try:
                part = file.read(1024)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part.decode()
            if shown.endswith(": ") and waiting:
                time.sleep(0.2)  # until it has turned the echo off
                file.write(f"{waiting.pop(0)}\n".encode())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_a_new_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    words = command("user", "create", "--admin", ADMIN, "--data", str(tmp_path / "data"))
    code, shown = typed(words, environment(tmp_path), PASSWORD, "another", PASSWORD, PASSWORD)
    assert code == 0, shown
    assert PASSWORD not in shown and "another" not in shown
    assert shown.count("Password") == 2 and "administrator" in shown


def test_a_login_on_a_terminal_asks_for_what_it_needs(url: str, tmp_path: Path) -> None:
    code, shown = typed(command("login", url), environment(tmp_path), ADMIN, PASSWORD)
    assert (code, PASSWORD in shown) == (0, False), shown
    assert f"logged in to {url} as {ADMIN}" in shown
