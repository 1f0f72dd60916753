"""Evaluations that lose what they need, over a real socket: each ends with a reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import ServerFactory
from tests.e2e.test_http_evaluation_runs import CSV, V1, begun, ended, running, upload
from tests.endpoint.live import LiveEndpoint

ENDPOINT = {"model": "small", "provider": "openai", "base_url": "http://127.0.0.1:9/v1"}


class _Dashboard(BaseHTTPRequestHandler):
    """Says that Ray is there, and takes no job."""

    def do_GET(self) -> None:
        body = json.dumps({"ray_version": "2.0.0", "version": "4"}).encode()
        self.send_response(200 if self.path == "/api/version" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nowhere."""


@pytest.fixture
def dashboard() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Dashboard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    gone(server)


def gone(dashboard: ThreadingHTTPServer) -> None:
    dashboard.shutdown()
    dashboard.server_close()


@pytest.fixture
def endpoint() -> Iterator[LiveEndpoint]:
    live = LiveEndpoint()
    yield live
    live.stop()


def on_ray(start_server: ServerFactory, folder: Path, dashboard: ThreadingHTTPServer) -> str:
    url = f"http://127.0.0.1:{dashboard.server_port}"
    public = "http://127.0.0.1:1"
    return start_server(folder, jobs_runner="ray", ray_dashboard_url=url, public_url=public).url + V1


def test_a_runner_that_is_down_takes_no_job_and_fails_those_it_had_not_begun(
    start_server, tmp_path, dashboard
):  # 5
    with httpx.Client(base_url=on_ray(start_server, tmp_path, dashboard), timeout=30) as http:
        dataset = upload(http)
        evaluation = http.post("/experiments/", json={"name": "e", "dataset": dataset}).json()["id"]
        job = {"name": "j", "dataset": dataset, "job_config": ENDPOINT}
        workflow = {"name": "w", "experiment_id": evaluation, "metrics": ["exact_match"], **ENDPOINT}
        waiting = http.post("/jobs/inference/", json=job).json()["id"]
        gone(dashboard)
        for path, body in (("/jobs/inference/", job), ("/workflows/", workflow)):
            answer = http.post(path, json=body)
            assert answer.status_code == 503 and "Ray at http://127.0.0.1:" in answer.json()["detail"]
            assert int(answer.headers["retry-after"]) >= 1
        assert [one["id"] for one in http.get("/jobs/").json()["items"]] == [waiting]
        assert http.get(f"/experiments/{evaluation}").json()["workflows"] == []
        found = ended(http, f"/jobs/{waiting}")
        assert found["status"] == "failed" and "does not answer" in found["why"]
        assert "does not answer" in http.get(f"/jobs/{waiting}/logs").json()["logs"]


@pytest.mark.slow
def test_a_judges_key_that_is_forgotten_on_the_way_fails_the_workflow_with_the_reason(
    start_server, tmp_path, endpoint
):  # 5
    endpoint.endpoint.seconds = 0.2
    judge = {"model_name": "small", "model_base_url": endpoint.base_url, "secret_key_name": "judging"}
    with httpx.Client(base_url=start_server(tmp_path / "data").url + V1, timeout=30) as http:
        http.put("/settings/secrets/judging", json={"value": "sk-for-judges"})
        workflow = begun(
            http, endpoint, upload(http, CSV), metrics=["g_eval_summarization"], llm_as_judge=judge
        )
        running(http, workflow)
        assert http.delete("/settings/secrets/judging").status_code == 204
        found = ended(http, f"/workflows/{workflow}")
        assert found["status"] == "failed" and "the secret judging is not stored" in found["why"]
        assert found["jobs"][0]["status"] == "succeeded"
