"""The command in surroundings that are not as it would like them: one line, the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import clean_environment

pytestmark = pytest.mark.slow  # a process for each claim

GARBAGE = b"neither a database nor anything else" * 600


def command(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracker", *words], cwd=folder, env=clean_environment(**variables),
        capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def told_in_one_line(done: subprocess.CompletedProcess[str], code: int, text: str) -> None:
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("tracker: ") and text in line


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_data_folder_that_is_a_file_is_told_before_any_point_is_lost(tmp_path: Path, place: str):
    (tmp_path / "file").write_text("in the place of the folder")
    told_in_one_line(command(tmp_path, "demo", TRACKER_DATA=place), 3, "file is not a folder")


@pytest.mark.parametrize("words", [["project", "list"], ["db", "upgrade"], ["db", "current"], ["demo"]])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, words: list[str]):
    (tmp_path / "data.db").write_bytes(GARBAGE)
    told_in_one_line(command(tmp_path, *words), 3, "not a database")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://127.0.0.1:99999", "127.0.0.1:8000", "ftp://host", "http://[::1"]
)
def test_a_server_that_cannot_be_there_is_told(tmp_path: Path, url: str):
    done = command(tmp_path, "--url", url, "project", "list")
    told_in_one_line(done, 3 if url.endswith(":1") and "127" in url else 1, url)


def test_a_password_in_an_address_is_not_told(tmp_path: Path):
    done = command(tmp_path, "--url", "http://user:s3cret@127.0.0.1:1", "project", "list")
    told_in_one_line(done, 3, "http://127.0.0.1:1 does not answer")
    assert "s3cret" not in done.stderr


def test_the_doctor_names_a_scalars_file_that_is_damaged(tmp_path: Path):
    scalars = tmp_path / "data" / "scalars"
    scalars.mkdir(parents=True)
    (scalars / "project.db").write_bytes(GARBAGE)
    command(tmp_path, "db", "upgrade", "--data", "data")
    done = command(tmp_path, "doctor", "--data", "data")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert "project.db is damaged" in line


def test_an_output_without_the_characters_gets_their_escapes(tmp_path: Path):
    assert command(tmp_path, "project", "create", "Δ 実験").returncode == 0
    done = command(tmp_path, "project", "list", PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u0394 \u5b9f\u9a13" in done.stdout


def test_an_output_that_the_shell_has_closed_is_no_error(tmp_path: Path):
    assert command(tmp_path, "project", "create", "p").returncode == 0
    with subprocess.Popen(
        [sys.executable, "-m", "tracker", "project", "list"], cwd=tmp_path, env=clean_environment(),
        stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1),
    ) as process:  # fmt: skip
        assert (process.stderr.read(), process.wait(60)) == (b"", 0)


def test_an_output_without_room_exits_3(tmp_path: Path):
    command(tmp_path, "project", "create", "p")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tracker", "project", "list"], cwd=tmp_path, env=clean_environment(),
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    told_in_one_line(done, 3, "No space left")
