"""``tracker evaluate`` in processes of its own: without a server, with real workers and a real endpoint."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from entrypoints.cli.evaluation_api import EvaluationApi
from entrypoints.cli.target import Target
from tests.endpoint.live import LiveEndpoint

pytestmark = pytest.mark.slow  # each test starts commands that start workers

SECRET = "sk-typed-and-never-shown"


@pytest.fixture
def endpoint() -> Iterator[LiveEndpoint]:
    live = LiveEndpoint()
    yield live
    live.stop()


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    file = tmp_path / "texts.csv"
    lines = [f"row {n},{'ROW' if n % 2 else 'other'} {n}" for n in range(10)]
    file.write_text("\n".join(["examples,ground_truth", *lines, ""]))
    return file


def tracker(folder: Path, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracker", *words], env=environment(folder), capture_output=True, text=True,
        timeout=200, check=False, **more,
    )  # type: ignore[call-overload,no-any-return]  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    own = {"TRACKER_DATA": str(folder / "data"), "DATABASE_URL": f"sqlite:///{folder}/data/tracker.db"}
    return {**os.environ, **own}


def asked(endpoint: LiveEndpoint) -> int:
    return endpoint.endpoint.asked.total()


def test_models_are_compared_and_the_same_again_is_free(endpoint, texts, tmp_path):
    small = f"{endpoint.base_url}#small"
    words = ("evaluate", str(texts), "--model", small, "--metrics", "exact_match,token_f1")
    done = tracker(tmp_path, *words)
    assert (done.returncode, asked(endpoint)) == (0, 10), done.stderr
    assert "exact_match" in done.stdout and "0.5 [" in done.stdout
    again = tracker(tmp_path, *words, "--threshold", "exact_match>=0.9", "--json")
    assert (again.returncode, asked(endpoint)) == (1, 10), again.stderr
    assert "exact_match>=0.9: it is 0.5" in again.stderr and len(again.stderr.splitlines()) == 1
    assert json.loads(again.stdout)["workflows"][0]["status"] == "succeeded"
    met = tracker(tmp_path, *words, "--threshold", "exact_match<=0.5")
    assert met.returncode == 0
    both = tracker(tmp_path, *words, "--model", f"{small}", "--json")
    assert both.returncode == 0 and len(json.loads(both.stdout)["comparisons"]) == 1


def test_a_model_that_does_not_answer_fails_with_a_reason(texts, tmp_path):
    words = ("evaluate", str(texts), "--model", "http://127.0.0.1:9/v1#gone", "--metrics", "json_valid")
    done = tracker(tmp_path, *words, "--max-samples", "1")
    assert done.returncode == 1 and done.stderr.startswith("tracker: gone: failed: ")
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_stops_the_jobs_and_keeps_what_they_had(endpoint, texts, tmp_path):
    endpoint.endpoint.seconds = 0.5
    words = ["evaluate", str(texts), "--model", f"{endpoint.base_url}#small", "--metrics", "json_valid"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tracker", *words, "--concurrency", "1"], env=environment(tmp_path)
    )
    until = time.monotonic() + 100
    while asked(endpoint) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    before = asked(endpoint)
    (job,) = json.loads(tracker(tmp_path, "job", "ls", "--json").stdout)
    assert job["status"] == "stopped" and 1 <= job["progress"]["rows_done"] < 10
    time.sleep(2)
    assert asked(endpoint) == before


def test_the_rest_of_the_commands_tell_what_there_is(texts, tmp_path):
    made = tracker(tmp_path, "dataset", "add", str(texts)).stdout.strip()
    assert "texts.csv" in tracker(tmp_path, "dataset", "ls").stdout
    assert "content_hash" in tracker(tmp_path, "dataset", "show", made).stdout
    copy = tmp_path / "copy.csv"
    assert tracker(tmp_path, "dataset", "download", made, "--to", str(copy)).returncode == 0
    assert copy.read_bytes() == texts.read_bytes()
    removed = tracker(tmp_path, "dataset", "rm", made)
    assert removed.returncode == 0 and removed.stderr.startswith("kept: evaluations and jobs that read it")
    gone = tracker(tmp_path, "dataset", "show", made)
    assert gone.returncode == 1 and "tracker dataset ls" in gone.stderr


def test_a_secret_is_piped_in_and_never_shown(tmp_path):
    kept = tracker(tmp_path, "secret", "set", "Key", input=SECRET + "\n")
    listed = tracker(tmp_path, "secret", "ls", "--json")
    rotated = tracker(tmp_path, "secret", "rotate")
    assert json.loads(listed.stdout) == [{"name": "key", "description": ""}]
    assert rotated.stdout.startswith("1 sealed by key ")
    assert all(SECRET not in done.stdout + done.stderr for done in (kept, listed, rotated))
    assert tracker(tmp_path, "secret", "rm", "KEY").returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere.csv", "--model", "http://a/v1#m"), "neither a file"),
        (("{file}", "--model", "http://a/v1"), "URL#name"),
        (("{file}", "--model", "m", "--threshold", "bleu=1"), "no threshold"),
        (("{file}", "--model", "http://a/v1#m", "--metrics", "fluff"), "is no metric"),
    ],
)
def test_what_was_typed_wrong_is_told_in_words(texts, tmp_path, words, told):
    typed = [word.format(file=texts) for word in words]
    done = tracker(tmp_path, "evaluate", *typed)
    assert done.returncode in (1, 2) and told in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--model", "no-url", "--metrics", "exact_match"), "nobody knows where openai-compatible is"),
        (("--metrics", "fluff"), "is no metric"),
    ],
    ids=["second model", "metric"],
)
def test_a_command_that_is_refused_leaves_nothing_that_would_run(endpoint, texts, tmp_path, more, told):
    small = ("--provider", "openai-compatible", "--model", f"{endpoint.base_url}#small")
    refused = tracker(tmp_path, "evaluate", str(texts), *small, *more)
    assert refused.returncode == 1 and told in refused.stderr
    with EvaluationApi(Target(data=tmp_path / "data")) as api:
        assert api.get("/experiments/")["total"] == 0
        assert api.get("/datasets/")["total"] == 1
        for _ in range(3):
            api.look()
        assert api.get("/jobs/")["total"] == 0
    assert asked(endpoint) == 0


@pytest.mark.slow
def test_the_demo_shows_which_summariser_is_better(tmp_path):
    done = tracker(tmp_path, "demo", "--evaluation")
    assert done.returncode == 0, done.stderr
    assert "PSF License" in done.stdout and "first-sentence less first-words" in done.stdout
    assert "may be chance" in done.stdout or "better" in done.stdout
