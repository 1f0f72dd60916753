"""The real command in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # processes of its own, for many seconds

ROOT = Path(__file__).resolve().parents[2]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "tracker", *words]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRACKER_")}
    kept.pop("DATABASE_URL", None)
    return {**kept, "PYTHONPATH": str(ROOT), "TRACKER_DATA": str(tmp_path / "unused")}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]):
    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words), cwd=tmp_path, env=environment | variables, text=True, capture_output=True,
            timeout=60, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    return run


def test_the_whole_life_of_an_experiment(run, tmp_path):
    data = ["--data", str(tmp_path / "data")]
    assert run("project", "create", "digits", "--metric", "acc", *data).returncode == 0
    made = json.loads(run("experiment", "create", "a", "--project", "digits", "--json", *data).stdout)
    assert run("experiment", "start", made["id"], *data).returncode == 0
    assert run("scalars", "log", made["id"], "loss=0.5", "--step", "1", *data).returncode == 0
    assert run("metric", "log", made["id"], "acc", "0.9", *data).returncode == 0
    assert run("experiment", "complete", made["id"], *data).returncode == 0
    table = run("metric", "table", "--project", "digits", *data).stdout.splitlines()
    assert table[1].split() == [made["id"], "a", "complete", "0.9"]
    assert run("db", "check", *data).returncode == 0
    assert run("doctor", *data).returncode == 0
    assert run("project", "delete", "digits", "--yes", *data).returncode == 0
    assert json.loads(run("project", "list", "--json", *data).stdout) == []


def test_help_imports_nothing_heavy(run):
    script = (
        "import sys; from entrypoints.cli.main import cli; cli.main(['--help'], standalone_mode=False); "
        "heavy = {'sqlalchemy', 'falcon', 'rich', 'numpy', 'pydantic', 'httpx'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_does_not_answer_exits_3_with_one_line(run):
    for words in (["project", "list"], ["doctor"]):
        done = run(*words, "--url", "http://127.0.0.1:9")
        assert done.returncode == 3
        assert len((done.stderr + done.stdout).splitlines()) == 1
        assert "tracker " in done.stderr + done.stdout


def test_a_typed_folder_wins_over_a_server_of_the_environment(run, tmp_path):
    words = ["project", "list", "--json", "--data", str(tmp_path / "data")]
    assert json.loads(run(*words, TRACKER_URL="http://127.0.0.1:9").stdout) == []


def test_a_token_is_not_taken_from_the_arguments(run):
    done = run("--token", "pat_secret", "project", "list")
    assert done.returncode == 2
    assert "TRACKER_TOKEN" in done.stderr


def test_the_database_commands_move_the_schema(run, tmp_path):
    data = ["--data", str(tmp_path / "data")]
    assert run("db", "current", *data).stdout.startswith("none")
    assert run("db", "check", *data).returncode == 3
    assert run("db", "upgrade", *data).returncode == 0
    newest = run("db", "current", *data).stdout
    assert run("db", "check", *data).returncode == 0
    assert run("db", "downgrade", *data).returncode == 0
    assert run("db", "current", *data).stdout != newest
    assert run("db", "upgrade", "nonsense", *data).returncode == 1
    assert run("db", "upgrade", "--url", "http://127.0.0.1:9").returncode == 2


def test_the_doctor_finds_an_old_schema_and_says_what_mends_it(run, tmp_path):
    data = ["--data", str(tmp_path / "data")]
    run("db", "upgrade", *data)
    run("db", "downgrade", *data)
    done = run("doctor", *data)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert "tracker db upgrade" in line


def test_the_doctor_leaves_a_missing_folder_missing(run, tmp_path):
    done = run("doctor", "--json", "--data", str(tmp_path / "data"))
    assert done.returncode == 0
    assert {finding["state"] for finding in json.loads(done.stdout)} == {"ok"}
    assert not (tmp_path / "data").exists()


def test_the_doctor_finds_a_folder_that_cannot_be_written(run, tmp_path):
    (tmp_path / "data").write_text("a file in its place")
    done = run("doctor", "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "'--data'" in done.stderr
    # A place that refuses even root, under which containers run tests.
    assert run("doctor", "--data", "/proc/tracker").returncode == 1


def test_a_folder_that_cannot_be_made_exits_3_without_a_traceback(run):
    done = run("project", "list", "--data", "/proc/tracker")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_the_doctor_finds_a_file_that_is_no_database(run, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tracker.db").write_bytes(b"not a database, but long enough to be read as one" * 40)
    done = run("doctor", "--data", str(tmp_path / "data"))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def interrupted(process: subprocess.Popen[bytes]) -> int:
    """Presses Ctrl-C until the process ends: one that comes between two reads is only seen at the next."""
    for _ in range(100):
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(0.5)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("it does not end")


def test_an_interrupt_exits_130_quietly(tmp_path, environment):
    words = command("scalars", "log", "0190", "--file", "-", "--data", str(tmp_path / "data"))
    with subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that starts the tests in the background has them ignore interrupts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        # It reads stdin once it no longer needs this pipe to be empty: more than a pipe holds.
        process.stdin.write(b"\n" * 200_000)
        process.stdin.flush()
        assert interrupted(process) == 130
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")


def test_a_reader_that_leaves_ends_it_quietly(tmp_path, environment):
    data = str(tmp_path / "data")
    subprocess.run(command("project", "create", "p", "--data", data), env=environment, check=True, timeout=60)
    with subprocess.Popen(
        command("project", "list", "--data", data),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.close()
        assert process.wait(60) in (0, 1)
        assert process.stderr.read() == b""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_prints_a_script(run, shell):
    done = run("completion", shell)
    assert done.returncode == 0
    assert "_TRACKER_COMPLETE" in done.stdout


def test_completion_knows_the_commands(run):
    done = run(_TRACKER_COMPLETE="bash_complete", COMP_WORDS="tracker pro", COMP_CWORD="1")
    assert done.stdout.split() == ["plain,project"]
