"""The tracker's server over a scalars service, and without it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live import LiveScalars
from tracker.adapters.memory.scalars import MemoryScalarStore

pytestmark = pytest.mark.slow  # processes of its own, for many seconds


@pytest.fixture
def scalars_service() -> Iterator[LiveScalars]:
    live = LiveScalars(MemoryScalarStore(), key="sesame")
    yield live
    live.stop()


def new_run(client: httpx.Client) -> tuple[str, str]:
    project = client.post("/api/projects", json={"name": "p"}).json()["id"]
    run = client.post("/api/experiments", json={"projectId": project, "name": "a"}).json()["id"]
    return project, run


def test_scalars_go_to_the_service_and_come_back(start_server, tmp_path: Path, scalars_service) -> None:
    live = start_server(tmp_path, scalars_service_url=scalars_service.url, scalars_service_key="sesame")
    with httpx.Client(base_url=live.url, timeout=30) as client:
        project, run = new_run(client)
        body = {"scalars": {"loss": "NaN", "acc": 0.5}, "step": 7, "tags": ["best"]}
        assert client.post(f"/api/scalars/log/{run}", json=body).status_code == 200
        found = client.get(f"/api/scalars/get/{run}", params={"return_tags": True}).json()["data"][0]
        assert found["scalars"]["loss"] == {"x": [7], "y": ["NaN"]}
        assert found["tags"] == [{"step": 7, "scalar_names": ["loss", "acc"], "tags": ["best"]}]
        assert client.get("/api/health/ready").status_code == 200
        assert client.delete(f"/api/experiments/{run}").status_code == 200
        headers = {"Authorization": "Bearer sesame"}
        experiments = f"{scalars_service.url}/api/projects/experiments/{project}"
        assert httpx.get(experiments, headers=headers).json() == []
    assert not (tmp_path / "scalars").exists()


def test_without_its_scalars_service_everything_else_goes_on(start_server, tmp_path: Path) -> None:
    service = LiveScalars(MemoryScalarStore())
    live = start_server(tmp_path, scalars_url=service.url)
    with httpx.Client(base_url=live.url, timeout=30) as client:
        project, run = new_run(client)
        body = {"scalars": {"loss": 0.5}, "step": 1}
        assert client.post(f"/api/scalars/log/{run}", json=body).status_code == 200
        service.stop()

        read = client.get(f"/api/scalars/get/{run}")
        assert (read.status_code, read.json()["code"]) == (503, "unavailable")
        written = client.post(f"/api/scalars/log/{run}", json=body)
        assert written.status_code == 503 and int(written.headers["retry-after"]) >= 1
        ready = client.get("/api/health/ready")
        assert ready.status_code == 503 and "scalars" in ready.json()["detail"]

        metric = {"experimentId": run, "name": "acc", "value": 0.9}
        assert client.post("/api/metrics", json=metric).status_code == 201
        assert client.get(f"/api/projects/{project}").status_code == 200
        other = client.post("/api/experiments", json={"projectId": project, "name": "b"}).json()["id"]
        assert client.delete(f"/api/experiments/{other}").status_code == 200
        for status in ("running", "complete"):
            done = client.patch(f"/api/experiments/{run}", json={"status": status})
            assert (done.status_code, done.json()["status"]) == (200, status)

        again = LiveScalars(MemoryScalarStore(), port=service.port)
        for _ in range(200):
            answer = client.post(f"/api/scalars/log/{run}", json=body)
            if answer.status_code == 200:
                break
            time.sleep(0.05)
        assert answer.status_code == 200
        assert client.get(f"/api/scalars/get/{run}").json()["data"][0]["scalars"]["loss"]["x"] == [1]
        again.stop()


def test_a_server_starts_though_its_scalars_service_is_not_there_yet(start_server, tmp_path: Path) -> None:
    live = start_server(tmp_path, scalars_service_url="http://127.0.0.1:1")
    assert httpx.get(f"{live.url}/api/health").status_code == 200
