"""The scalars service answers the contract's routes, in JSON and in msgpack."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgpack
import pytest

from entrypoints.http.openapi import openapi
from entrypoints.http.scalars.reference import service_reference
from entrypoints.http.scalars.routes import SERVICE_ROUTES
from entrypoints.http.scalars.server import serve_scalars
from tests.live import LiveScalars
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.scalars.embedded import EmbeddedScalarStore
from tracker.domain.errors import Invalid
from tracker.settings import Settings

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def service() -> Iterator[LiveScalars]:
    live = LiveScalars(MemoryScalarStore())
    yield live
    live.stop()


@pytest.fixture(params=["json", "msgpack"])
def ask(request: pytest.FixtureRequest, service: LiveScalars) -> Iterator[Ask]:
    """Sends a body and reads an answer, both of one media type."""
    media = f"application/{request.param}"
    write, read = (json.dumps, json.loads) if request.param == "json" else (msgpack.packb, msgpack.unpackb)
    with httpx.Client(base_url=f"{service.url}/api", headers={"Accept": media}) as client:

        def asked(method: str, path: str, body: object = None, **query: object) -> tuple[int, Any]:
            content = {} if body is None else {"content": write(body), "headers": {"Content-Type": media}}
            answer = client.request(method, path, params=query, **content)
            if answer.is_success:
                assert answer.headers["content-type"] == media
                return answer.status_code, read(answer.content)
            return answer.status_code, answer.json()

        yield asked


@pytest.fixture
def project(ask: Ask) -> str:
    project_id = str(uuid4())
    ask("POST", "/projects", {"project_id": project_id})
    return project_id


def test_a_project_is_created_once_and_exists_from_then_on(ask: Ask) -> None:
    project_id = str(uuid4())
    status, before = ask("GET", f"/projects/exists/{project_id}")
    assert (status, before["exists"]) == (200, False)
    made = [ask("POST", "/projects", {"project_id": project_id}) for _ in range(2)]
    assert made[0] == made[1] == (200, {"table_name": before["table_name"], "project_id": project_id})
    assert ask("GET", f"/projects/exists/{project_id}") == (200, {**made[0][1], "exists": True})
    assert ask("GET", f"/projects/experiments/{project_id}") == (200, [])
    assert ask("DELETE", f"/projects/{project_id}")[1].keys() == {"message"}
    assert ask("GET", f"/projects/exists/{project_id}")[1]["exists"] is False
    assert ask("DELETE", f"/projects/{project_id}")[0] == 404
    assert ask("POST", "/projects", {"project_id": project_id})[0] == 409


@pytest.mark.parametrize("route", ["log", "log_batch"])
def test_logging_to_a_project_that_was_never_created_is_not_found(ask: Ask, route: str) -> None:
    row = {"scalars": {"x": 1.0}, "step": 1}
    body = row if route == "log" else {"scalars": [row]}
    status, answer = ask("POST", f"/scalars/{route}/{uuid4()}/{uuid4()}", body)
    assert (status, answer["code"]) == (404, "not_found") and "POST /api/projects" in answer["detail"]


def test_reading_a_project_that_was_never_created_is_not_found(ask: Ask) -> None:
    assert ask("GET", f"/scalars/get/{uuid4()}")[0] == 404
    assert ask("POST", f"/scalars/last_logged/{uuid4()}", {})[0] == 404


def test_what_was_logged_comes_back_with_its_tags(ask: Ask, project: str) -> None:
    first, second = sorted(str(uuid4()) for _ in range(2))
    row = {"scalars": {"loss": 0.5, "acc": 1}, "step": 3, "tags": ["best"]}
    assert ask("POST", f"/scalars/log/{project}/{first}", row) == (200, {"status": "logged"})
    rows = {"scalars": [{"scalars": {"loss": value}, "step": 4} for value in (0.25, "NaN", "-Infinity")]}
    assert ask("POST", f"/scalars/log_batch/{project}/{second}", rows)[0] == 200
    assert ask("GET", f"/projects/experiments/{project}")[1] == [
        {"experiment_id": first},
        {"experiment_id": second},
    ]
    status, found = ask("GET", f"/scalars/get/{project}", experiment_id=[second, first], return_tags=True)
    assert status == 200 and [entry["experiment_id"] for entry in found["data"]] == [second, first]
    assert found["data"][1]["scalars"] == {"loss": {"x": [3], "y": [0.5]}, "acc": {"x": [3], "y": [1.0]}}
    assert found["data"][1]["tags"] == [{"step": 3, "scalar_names": ["loss", "acc"], "tags": ["best"]}]
    values = [float(value) for value in found["data"][0]["scalars"]["loss"]["y"]]
    assert values[0] == 0.25 and math.isnan(values[1]) and values[2] == -math.inf
    logged = ask("POST", f"/scalars/last_logged/{project}", {"experiment_ids": [first]})[1]["data"]
    assert [row["experiment_id"] for row in logged] == [first] and "T" in logged[0]["last_modified"]


def test_thinning_keeps_extremes_and_all_thins_nothing(ask: Ask, project: str) -> None:
    run = str(uuid4())
    rows = [{"scalars": {"x": 99.0 if step == 1234 else 0.0}, "step": step} for step in range(3000)]
    ask("POST", f"/scalars/log_batch/{project}/{run}", {"scalars": rows})
    for sampling in ("reservoir", "uniform"):
        found = ask("GET", f"/scalars/get/{project}", sampling=sampling, max_points=40)[1]
        curve = found["data"][0]["scalars"]["x"]
        assert len(curve["x"]) <= 40 and 1234 in curve["x"]
    whole = ask("GET", f"/scalars/get/{project}", sampling="all", max_points=40)[1]
    assert whole["data"][0]["scalars"]["x"]["x"] == list(range(3000))
    assert ask("GET", f"/scalars/get/{project}", sampling="some")[0] == 422


def test_a_time_window_holds_what_was_logged_inside_it(ask: Ask, project: str) -> None:
    run = str(uuid4())
    rows = [
        {"scalars": {"x": 1.0}, "step": step, "time": f"2026-01-0{step}T00:00:00"} for step in range(1, 6)
    ]
    ask("POST", f"/scalars/log_batch/{project}/{run}", {"scalars": rows})
    window = {"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-04T00:00:00"}
    found = ask("GET", f"/scalars/get/{project}", **window)[1]
    assert found["data"][0]["scalars"]["x"]["x"] == [2, 3, 4]


def test_the_same_batch_id_again_changes_nothing(ask: Ask, project: str) -> None:
    run, body = str(uuid4()), {"scalars": {"x": 1.0}, "step": 1, "batch_id": str(uuid4())}
    for _ in range(2):
        ask("POST", f"/scalars/log/{project}/{run}", body)
    assert ask("GET", f"/scalars/get/{project}")[1]["data"][0]["scalars"]["x"]["x"] == [1]


@pytest.mark.parametrize("raw", [b"\xc1", b"", b"\x92\x01", b"\x91" * 5000, b"{}", b"\xdd\xff\xff\xff\xff"])
def test_a_body_that_is_no_msgpack_or_has_another_shape_is_refused(service: LiveScalars, raw: bytes) -> None:
    for path in (f"/api/scalars/log/{uuid4()}/{uuid4()}", f"/api/store/{uuid4()}/append"):
        headers = {"Content-Type": "application/msgpack"}
        answer = httpx.post(service.url + path, content=raw, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    plain = {"Content-Type": "text/plain"}
    assert httpx.post(f"{service.url}/api/projects", content=b"x", headers=plain).status_code == 415


def test_created_projects_are_still_known_after_a_restart(tmp_path: Path) -> None:
    project_id = str(uuid4())
    for exists in (False, True):
        service = LiveScalars(EmbeddedScalarStore(tmp_path))
        found = httpx.get(f"{service.url}/api/projects/exists/{project_id}").json()
        assert found["exists"] is exists
        httpx.post(f"{service.url}/api/projects", json={"project_id": project_id})
        service.stop()


def test_without_a_key_a_page_that_rebinds_its_name_gets_nothing(service: LiveScalars) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "scalars"):
        answer = httpx.get(f"{service.url}/api/projects/exists/{uuid4()}", headers={"Host": host})
        assert answer.status_code == 403
    assert httpx.get(f"{service.url}/api/health", headers={"Host": "localhost:8001"}).status_code == 200


def test_with_a_key_everything_but_health_needs_it() -> None:
    service = LiveScalars(MemoryScalarStore(), key="sesame")
    path = f"{service.url}/api/projects/exists/{uuid4()}"
    for shown in (
        {},
        {"Authorization": "Bearer sesam"},
        {"Authorization": "sesame"},
        {"Authorization": b"\xff"},
    ):
        answer = httpx.get(path, headers=shown)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    right = {"Authorization": "Bearer sesame", "Host": "scalars.example"}
    assert httpx.get(path, headers=right).status_code == 200
    assert httpx.get(f"{service.url}/api/health").status_code == 200
    service.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_an_address_that_others_can_reach_needs_a_key(host: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="SCALARS_SERVICE_KEY"):
        serve_scalars(Settings(data=tmp_path), host=host)


def test_a_service_over_a_service_is_refused() -> None:
    for settings in (Settings(scalars_service_url="http://a"), Settings(scalars_url="http://a")):
        with pytest.raises(Invalid, match="a store of its own"):
            serve_scalars(settings)


def test_the_reference_page_of_the_service_is_what_its_table_gives() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/scalars-service.md").read_text(encoding="utf-8")
    assert page == service_reference(), "python -m entrypoints.http.scalars.reference > that page"


def test_the_openapi_document_of_the_service_is_valid() -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    document = openapi(SERVICE_ROUTES)
    validator.validate(document)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(SERVICE_ROUTES)
