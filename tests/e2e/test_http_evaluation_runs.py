"""Whole workflows over a real socket: real worker processes, a real model endpoint, and where ours must be
better."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from entrypoints.cli.evaluation_api import EvaluationApi
from entrypoints.cli.target import Target
from tests.e2e.conftest import ServerFactory
from tests.endpoint.live import LiveEndpoint

V1 = "/api/v1"
SECRET = "sk-never-shown-anywhere"
CSV = b"examples,ground_truth,note\n" + b"".join(b"row %d,ROW %d,n%d\n" % (n, n, n) for n in range(8))
ENDED = ("succeeded", "failed", "stopped")


@pytest.fixture
def endpoint() -> Iterator[LiveEndpoint]:
    live = LiveEndpoint()
    yield live
    live.stop()


@pytest.fixture
def http(start_server: ServerFactory, tmp_path: Path) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=start_server(tmp_path / "data").url + V1, timeout=30) as client:
        yield client


def upload(http: httpx.Client, content: bytes = CSV) -> str:
    return http.post("/datasets/", files={"dataset": ("d.csv", content)}).json()["id"]


def begun(http: httpx.Client, endpoint: LiveEndpoint, dataset: str | None = None, **fields: Any) -> str:
    body = {"name": "e", "dataset": dataset or upload(http)}
    evaluation = http.post("/experiments/", json=body).json()["id"]
    model = {"model": "small", "provider": "openai", "base_url": endpoint.base_url}
    asked = {"name": "w", "experiment_id": evaluation, "metrics": ["exact_match"], **model, **fields}
    answer = http.post("/workflows/", json=asked)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ended(http: httpx.Client, path: str) -> dict[str, Any]:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found: dict[str, Any] = http.get(path).json()
        if found["status"] in ENDED:
            return found
        time.sleep(0.1)
    raise AssertionError(http.get(f"{path}/logs").text)


def running(http: httpx.Client, workflow: str) -> dict[str, Any]:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = http.get(f"/workflows/{workflow}").json()
        if any(job["rows_done"] for job in found["jobs"]):
            return dict(found["jobs"][0])
        time.sleep(0.05)
    raise AssertionError("it does not begin")


def result(http: httpx.Client, workflow: str) -> dict[str, Any]:
    url = http.get(f"/workflows/{workflow}/result/download").json()
    found: dict[str, Any] = httpx.get(url).json()
    return found


@pytest.mark.slow
def test_a_workflow_runs_and_its_compiled_result_has_both_parts(http, endpoint):
    workflow = begun(http, endpoint, requests_per_minute=600)
    assert http.get(f"/workflows/{workflow}/result/download").status_code == 409
    found = ended(http, f"/workflows/{workflow}")
    assert found["status"] == "succeeded", found["why"]
    document = result(http, workflow)
    assert document["metrics"]["exact_match"]["exact_match_mean"] == 1.0
    assert document["artifacts"]["predictions"][0] == "ROW 0"
    assert {"predictions", "ground_truth", "evaluation_time", "inference_time"} <= document[
        "artifacts"
    ].keys()
    job = found["jobs"][0]["id"]
    shown = http.get(f"/jobs/{job}").json()
    assert (shown["status"], shown["progress"]) == ("succeeded", {"rows_done": 8, "rows_total": 8})
    assert shown["job_config"]["requests_per_minute"] == 600
    (download, told) = (http.get(f"/jobs/{job}/result/download"), http.get(f"/jobs/{job}/result"))
    assert told.json()["job_id"] == job and "predictions" in httpx.get(download.json()["download_url"]).text
    tracked = http.get(f"/../experiments/{found['tracked_experiment_id']}/metrics").json()
    assert any(metric["name"].startswith("exact_match") for metric in tracked)


@pytest.mark.slow
def test_extra_columns_are_kept_downstream_and_the_output_field_works(http, endpoint):  # 11
    workflow = begun(http, endpoint, inference_output_field="answer")
    found = ended(http, f"/workflows/{workflow}")
    assert found["status"] == "succeeded", found["why"]
    made = http.get(f"/jobs/{found['jobs'][0]['id']}/dataset").json()
    assert made["generated"] and {"note", "answer"} <= set(made["columns"])
    (url,) = http.get(f"/datasets/{made['id']}/download").json()["download_urls"]
    assert '"note":"n0"' in httpx.get(url).text.replace(" ", "").splitlines()[0]


def test_what_cannot_be_done_fails_with_a_reason(http, endpoint):  # 5
    dataset = upload(http)
    workflow = begun(http, endpoint, dataset)
    http.delete(f"/datasets/{dataset}")
    found = ended(http, f"/workflows/{workflow}")
    assert found["status"] == "failed" and "deleted" in found["why"]
    no_truth = {"name": "e", "dataset": upload(http, b"examples\na\n")}
    evaluation = http.post("/experiments/", json=no_truth).json()["id"]
    body = {"name": "w", "experiment_id": evaluation, "metrics": ["exact_match"]}
    model = {"model": "small", "provider": "openai", "base_url": endpoint.base_url}
    assert http.post("/workflows/", json={**body, **model}).status_code == 422


@pytest.mark.slow
def test_a_judge_is_compared_with_people_who_scored_the_same_answers(http):
    live = LiveEndpoint(answer=lambda system, text: json.dumps({"score": 5 if "good" in text else 1}))
    criterion = {"name": "kind", "question": "Is it kind?"}
    judge = {
        "model_name": "small", "model_base_url": live.base_url, "human_score": "people",
        "rubric": {"name": "tone", "task": "answer", "criteria": [criterion]},
    }  # fmt: skip
    rows = [f"x{n},good {n},5\ny{n},bad {n},1\n" for n in range(4)]
    dataset = upload(http, "".join(["examples,predictions,people\n", *rows]).encode())
    config = {"metrics": ["rubric"], "llm_as_judge": judge}
    made = http.post("/jobs/evaluator/", json={"name": "j", "dataset": dataset, "job_config": config})
    job = made.json()["id"]
    found = ended(http, f"/jobs/{job}")
    live.stop()
    assert found["status"] == "succeeded", found["why"]
    document = httpx.get(http.get(f"/jobs/{job}/result/download").json()["download_url"]).json()
    (told,) = document["artifacts"]["human_agreement"]
    assert (told["rows"], told["kappa"]) == (8, 1.0)


@pytest.mark.slow
def test_the_timeout_ends_a_job_and_a_forced_delete_stops_it(http, endpoint):  # 7
    endpoint.endpoint.seconds = 1.0
    late = begun(http, endpoint, job_timeout_sec=1)
    found = ended(http, f"/workflows/{late}")
    assert found["status"] == "failed" and "1" in found["why"]
    workflow = begun(http, endpoint, upload(http, CSV + b"more,MORE,x\n"))
    running(http, workflow)
    assert http.delete(f"/workflows/{workflow}").status_code == 400
    assert http.delete(f"/workflows/{workflow}", params={"force": True}).status_code == 204
    assert http.get(f"/workflows/{workflow}").status_code == 404
    time.sleep(2)
    asked = endpoint.endpoint.asked.total()
    time.sleep(3)
    assert endpoint.endpoint.asked.total() == asked


@pytest.mark.slow
def test_a_job_that_was_cancelled_does_the_rest_when_it_is_retried(http, endpoint):
    endpoint.endpoint.seconds = 0.5
    model = {"model": "small", "provider": "openai", "base_url": endpoint.base_url}
    body = {"name": "j", "dataset": upload(http), "job_config": model}
    job = http.post("/jobs/inference/", json=body).json()["id"]
    until = time.monotonic() + 60
    while not http.get(f"/jobs/{job}").json()["progress"]["rows_done"] and time.monotonic() < until:
        time.sleep(0.05)
    assert http.post(f"/jobs/{job}/cancel").status_code == 200
    assert ended(http, f"/jobs/{job}")["status"] == "stopped"
    assert http.post(f"/jobs/{job}/cancel").status_code == 409
    assert http.post(f"/jobs/{job}/retry").status_code == 200
    done = ended(http, f"/jobs/{job}")
    assert (done["status"], done["progress"]["rows_done"]) == ("succeeded", 8)
    assert endpoint.endpoint.asked.total() <= 8 + 1  # but for the one that was under way


@pytest.mark.slow
def test_the_server_is_restarted_and_the_workflow_goes_on(start_server, tmp_path, endpoint):  # 6
    endpoint.endpoint.seconds = 0.3
    server = start_server(tmp_path / "data")
    with httpx.Client(base_url=server.url + V1, timeout=30) as http:
        workflow = begun(http, endpoint)
        running(http, workflow)
    server.stop()
    again = start_server(tmp_path / "data")
    with httpx.Client(base_url=again.url + V1, timeout=30) as http:
        found = ended(http, f"/workflows/{workflow}")
        assert found["status"] == "succeeded", found["why"]


@pytest.mark.slow
def test_a_deletion_removes_what_the_workflow_left(http, endpoint):  # 8
    dataset = upload(http)
    workflow = begun(http, endpoint, dataset)
    found = ended(http, f"/workflows/{workflow}")
    evaluation = found["experiment_id"]
    made = http.get(f"/jobs/{found['jobs'][0]['id']}/dataset").json()["id"]
    assert http.delete(f"/experiments/{evaluation}").status_code == 204
    gone = (
        f"/workflows/{workflow}", f"/jobs/{found['jobs'][0]['id']}", f"/datasets/{made}",
        f"/../experiments/{found['tracked_experiment_id']}",
    )  # fmt: skip
    assert [http.get(path).status_code for path in gone] == [404] * 4
    assert http.get(f"/datasets/{dataset}").status_code == 200
    assert http.delete(f"/datasets/{dataset}").status_code == 204
    assert http.get("/datasets/").json()["total"] == http.get("/jobs/").json()["total"] == 0


@pytest.mark.slow
def test_a_secret_reaches_the_endpoint_and_nobody_else(http, endpoint, tmp_path):  # 9
    endpoint.endpoint.key, endpoint.endpoint.seconds = SECRET, 0.3
    assert http.put("/settings/secrets/KEY", json={"value": SECRET}).status_code == 201
    workflow = begun(http, endpoint, secret_key_name="key")
    running(http, workflow)
    seen = [text for text in _processes() if SECRET.encode() in text]
    assert seen == []
    found = ended(http, f"/workflows/{workflow}")
    assert found["status"] == "succeeded", found["why"]
    paths = ["/jobs/", f"/workflows/{workflow}", f"/workflows/{workflow}/logs", "/settings/secrets/"]
    answers = [http.get(path).text for path in paths] + [str(result(http, workflow))]
    assert not [text for text in answers if SECRET in text]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 5 and not [file for file in files if SECRET.encode() in file.read_bytes()]


def _processes() -> Iterator[bytes]:
    """What anybody may read of the processes of this machine, but for this one, which has the secret."""
    for folder in Path("/proc").glob("[0-9]*"):
        if int(folder.name) == os.getpid():
            continue
        for name in ("environ", "cmdline"):
            try:
                yield (folder / name).read_bytes()
            except OSError:
                continue


@pytest.mark.slow
def test_a_secret_still_opens_after_its_key_was_rotated(http, endpoint, tmp_path):  # 10
    endpoint.endpoint.key = SECRET
    http.put("/settings/secrets/KEY", json={"value": SECRET})
    data = tmp_path / "data"
    with EvaluationApi(Target(data=data)) as api:
        assert api.rotate_secrets().resealed == 1
    keys = data / "secret-keys.json"
    assert keys.stat().st_mode & 0o077 == 0
    found = ended(http, f"/workflows/{begun(http, endpoint, secret_key_name='KEY')}")
    assert found["status"] == "succeeded", found["why"]
