"""Every kind of bad request is refused with a clear 4xx, and changes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest

JSON = {"Content-Type": "application/json"}


def refused(response: httpx.Response, status: int, code: str, *locs: list[object]) -> dict[str, object]:
    """The answer's problem, after a check of its shape."""
    problem = response.json()
    assert response.status_code == status, problem
    assert problem["code"] == code and problem["detail"]
    given = [error["loc"] for error in problem.get("errors", [])]
    for loc in locs:
        assert loc in given, problem
    return problem


MALFORMED = {
    "not json": b"{",
    "empty": b"",
    "not utf-8": b'{"name": "\xff"}',
    "surrogate bytes": b'{"name": "\xed\xa0\x80"}',
    "half a surrogate pair": b'{"name": "\\ud800"}',
    "NaN token": b'{"name": NaN}',
    "deep": b"[" * 100_000,
    "huge integer": b'{"name": ' + b"1" * 10_000 + b"}",
    "trailing": b'{"name": "a"} x',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_not_json_is_refused(client: httpx.Client, body: bytes):
    refused(client.post("/api/projects", content=body, headers=JSON), 422, "invalid", ["body"])


WRONG_PROJECTS = {
    "no name": ({}, ["body", "name"]),
    "empty name": ({"name": ""}, ["body", "name"]),
    "long name": ({"name": "x" * 101}, ["body", "name"]),
    "null name": ({"name": None}, ["body", "name"]),
    "number for text": ({"name": 1}, ["body", "name"]),
    "nul": ({"name": "a\x00"}, ["body", "name"]),
    "unknown field": ({"name": "a", "colour": 1}, ["body", "colour"]),
    "snake case": ({"name": "a", "team_id": None}, ["body", "team_id"]),
    "team": ({"name": "a", "teamId": str(uuid4())}, ["body", "teamId"]),
    "long description": ({"name": "a", "description": "x" * 501}, ["body", "description"]),
    "direction": (
        {"name": "a", "metrics": [{"name": "m", "direction": "up"}]},
        ["body", "metrics", 0, "direction"],
    ),
    "pattern": ({"name": "a", "settings": {"namingPattern": "{"}}, ["body", "namingPattern"]),
    "pattern of several": (
        {"name": "a", "settings": {"namingPatterns": ["{num}", "{"]}},
        ["body", "namingPatterns", 1],
    ),
    "empty pattern of several": (
        {"name": "a", "settings": {"namingPatterns": [""]}},
        ["body", "settings", "namingPatterns", 0],
    ),
    "patterns that contradict": (
        {"name": "a", "settings": {"namingPattern": "b", "namingPatterns": ["a", "b"]}},
        ["body", "namingPattern"],
    ),
    "same metric twice": ({"name": "a", "metrics": [{"name": "m"}, {"name": "m"}]}, None),
    "a list": ([], ["body"]),
}


@pytest.mark.parametrize(("body", "loc"), WRONG_PROJECTS.values(), ids=WRONG_PROJECTS.keys())
def test_a_wrong_project_is_refused_and_not_kept(client: httpx.Client, body, loc):
    before = len(client.get("/api/projects").json())
    response = client.post("/api/projects", json=body)
    refused(response, 422, "invalid", *([loc] if loc else []))
    assert len(client.get("/api/projects").json()) == before


WRONG_EXPERIMENTS = {
    "status": ({"status": "done"}, ["body", "status"]),
    "null status": ({"status": None}, ["body", "status"]),
    "colour": ({"color": "red"}, ["body", "color"]),
    "progress": ({"progress": 100.5}, ["body", "progress"]),
    "progress as text": ({"progress": "1"}, ["body", "progress"]),
    "bool for a number": ({"progress": True}, ["body", "progress"]),
    "order": ({"order": -1}, ["body", "order"]),
    "huge order": ({"order": 2**31}, ["body", "order"]),
    "tags": ({"tags": ["a", "a"]}, ["body", "tags"]),
    "long tag": ({"tags": ["x" * 101]}, ["body", "tags", 0]),
    "parent id": ({"parentExperimentId": "x"}, ["body", "parentExperimentId"]),
    "unknown parent": ({"parentExperimentId": str(uuid4())}, ["body", "parentExperimentId"]),
    "unknown further parent": ({"mergedFrom": [str(uuid4())]}, ["body", "mergedFrom"]),
    "further parent twice": ({"mergedFrom": [str(UUID(int=1))] * 2}, ["body", "mergedFrom"]),
    "null further parents": ({"mergedFrom": None}, ["body", "mergedFrom"]),
    "features": ({"features": []}, ["body", "features"]),
    "huge integer in features": ({"features": {"a": 2**63}}, ["body", "features"]),
    "nul in features": ({"features": {"a": "\x00"}}, ["body", "features"]),
    "deep features": ({"features": json.loads('{"a":' * 70 + "1" + "}" * 70)}, ["body", "features"]),
    "list for a parameter": ({"params": {"a": []}}, ["body", "params"]),
}


@pytest.mark.parametrize(("change", "loc"), WRONG_EXPERIMENTS.values(), ids=WRONG_EXPERIMENTS.keys())
def test_a_wrong_change_of_an_experiment_is_refused_and_not_kept(
    client: httpx.Client, experiment, change, loc
):
    one = f"/api/experiments/{experiment['id']}"
    refused(client.patch(one, json=change), 422, "invalid", loc)
    assert client.get(one).json() == experiment
    new = {**change, "projectId": experiment["projectId"], "name": "x"}
    refused(client.post("/api/experiments", json=new), 422, "invalid", loc)


def test_a_number_too_large_for_a_float_is_refused_where_it_must_be_finite(client, experiment):
    body = b'{"experimentId": "%s", "name": "a", "value": 1e400}' % experiment["id"].encode()
    refused(client.post("/api/metrics", content=body, headers=JSON), 422, "invalid", ["body", "value"])
    for value in ("NaN", "1", None, True, 10**400):
        body = {"experimentId": experiment["id"], "name": "a", "value": value}
        raw = json.dumps(body)
        refused(client.post("/api/metrics", content=raw, headers=JSON), 422, "invalid", ["body", "value"])


WRONG_SCALARS = [
    {"step": 1},
    {"scalars": {"a": 1}},
    {"scalars": {"a": "1"}, "step": 1},
    {"scalars": {"a": None}, "step": 1},
    {"scalars": {"": 1}, "step": 1},
    {"scalars": {"a\x00": 1}, "step": 1},
    {"scalars": {"x" * 256: 1}, "step": 1},
    {"scalars": {"a": 1}, "step": 2**63},
    {"scalars": {"a": 1}, "step": 1.5},
    {"scalars": {"a": 1}, "step": 1, "experimentId": "x"},
]


@pytest.mark.parametrize("body", WRONG_SCALARS, ids=range(len(WRONG_SCALARS)))
def test_one_wrong_step_refuses_its_whole_batch(client: httpx.Client, experiment, body):
    of_run = experiment["id"]
    refused(client.post(f"/api/scalars/log/{of_run}", json=body), 422, "invalid")
    batch = {"scalars": [{"scalars": {"a": 1}, "step": 0}, body]}
    refused(client.post(f"/api/scalars/log_batch/{of_run}", json=batch), 422, "invalid")
    (entry,) = client.get(f"/api/scalars/get/{of_run}").json()["data"]
    assert entry["scalars"] == {}


def test_moves_that_the_present_state_forbids_are_conflicts(client: httpx.Client, project, experiment):
    one = f"/api/experiments/{experiment['id']}"
    client.patch(one, json={"status": "running"})
    refused(client.patch(one, json={"status": "planned"}), 409, "invalid_transition")
    body = {"projectId": project["id"], "name": "child", "parentExperimentId": experiment["id"]}
    child = client.post("/api/experiments", json=body).json()
    refused(client.patch(one, json={"parentExperimentId": child["id"]}), 409, "lineage_cycle")


def test_a_parent_in_another_project_is_refused(client: httpx.Client, experiment):
    other = client.post("/api/projects", json={"name": "other"}).json()
    body = {"projectId": other["id"], "name": "a", "parentExperimentId": experiment["id"]}
    refused(client.post("/api/experiments", json=body), 422, "invalid", ["body", "parentExperimentId"])


def test_unknown_things_are_not_found(client: httpx.Client):
    for path in ("projects/{}", "experiments/{}", "experiments/{}/metrics", "scalars/get/{}",
                 "scalars/get/project/{}", "dashboard/project/{}/stats"):  # fmt: skip
        refused(client.get("/api/" + path.format(uuid4())), 404, "not_found")
    refused(client.get("/api/nothing"), 404, "not_found")
    refused(client.get("/api/projects/%00%ff/x/y"), 404, "not_found")


@pytest.mark.parametrize("bad", ["1", "x" * 36, "{" + "0" * 34 + "}", "%00", "%ff", "é"])
def test_an_id_that_is_no_uuid_is_refused(client: httpx.Client, bad: str):
    refused(client.get(f"/api/projects/{bad}"), 422, "invalid", ["path", "project_id"])


@pytest.mark.parametrize(
    ("query", "name"),
    [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("limit=1&limit=2", "limit"),
     ("limit=" + "9" * 5000, "limit"), ("page=1", "page"), ("projectId=1", "projectId")],
)  # fmt: skip
def test_a_wrong_query_parameter_is_refused(client: httpx.Client, query: str, name: str):
    refused(client.get(f"/api/experiments/recent?{query}"), 422, "invalid", ["query", name])


def test_a_query_that_is_not_utf_8_is_refused(client: httpx.Client):
    refused(client.get("/api/experiments/recent?limit=%ff"), 422, "invalid", ["query"])
    refused(client.get("/api/health?a=1"), 422, "invalid", ["query", "a"])


def test_a_wrong_method_is_told_the_right_ones(client: httpx.Client):
    response = client.put("/api/projects", json={})
    refused(response, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_another_content_type_is_refused(client: httpx.Client, kind: str):
    response = client.post("/api/projects", content=b'{"name": "a"}', headers={"Content-Type": kind})
    refused(response, 415, "unsupported_media_type")


def test_a_body_over_the_limit_is_refused_by_its_announced_length(client: httpx.Client):
    body = b'{"name": "' + b"x" * (10 * 2**20) + b'"}'
    refused(client.post("/api/projects", content=body, headers=JSON), 413, "body_too_large")


def test_a_body_over_the_limit_is_refused_when_it_comes_in_chunks(client: httpx.Client):
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 2**15

    refused(client.post("/api/projects", content=chunks(), headers=JSON), 413, "body_too_large")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "localhost.evil.example:80"}, {"X-Forwarded-For": "127.0.0.1"},
     {"Forwarded": "for=127.0.0.1"}, {"X-Real-IP": "127.0.0.1"}],
)  # fmt: skip
def test_requests_that_may_come_from_elsewhere_are_forbidden(client: httpx.Client, headers):
    refused(client.get("/api/projects", headers=headers), 403, "forbidden")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]:8000"])
def test_names_of_this_machine_are_let_in(client: httpx.Client, host: str):
    assert client.get("/api/projects", headers={"Host": host}).status_code == 200


def test_garbage_instead_of_http_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xff\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


def test_a_client_that_sends_a_huge_body_and_hangs_up_still_reads_why_it_was_refused(client: httpx.Client):
    size = 10 * 2**20
    head = (
        b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    )
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as connection:
        connection.sendall(head + b" " * size)
        answer = b""
        while b"body_too_large" not in answer:
            part = connection.recv(65536)
            assert part, answer
            answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
