"""What surrounds an answer: request ids, CORS, compression, health and documentation."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from entrypoints.http.logs import JsonLines

ORIGIN = "https://ui.example"


def test_health_tells_the_version_to_everybody(client: httpx.Client):
    for path in ("/", "/api/health"):
        assert client.get(path).json().keys() == {"status", "version"}
    assert client.get("/api/health/ready").json()["ready"] == ["database", "migrations", "scalars", "blobs"]


def test_the_documentation_is_served(client: httpx.Client):
    assert client.get("/api/openapi.json").json()["openapi"] == "3.1.0"
    page = client.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html") and "/api/experiments" in page.text


def test_a_sane_request_id_comes_back_and_another_is_replaced(client: httpx.Client):
    assert client.get("/", headers={"X-Request-ID": "run-7.a"}).headers["x-request-id"] == "run-7.a"
    for bad in ("a b", "x" * 65, '"'):
        given = client.get("/", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert given != bad and len(given) == 16


def test_even_a_refused_request_has_an_id(client: httpx.Client):
    assert client.get("/api/nothing").headers["x-request-id"]
    assert client.get("/", headers={"Host": "evil.example"}).headers["x-request-id"]


def test_only_allowed_origins_may_read_answers(client: httpx.Client):
    allowed = client.get("/", headers={"Origin": ORIGIN})
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in allowed.headers["vary"]
    for other in ("https://evil.example", "http://ui.example", "https://ui.example:444", "null"):
        assert "access-control-allow-origin" not in client.get("/", headers={"Origin": other}).headers


def test_a_preflight_tells_what_an_allowed_origin_may_send(client: httpx.Client):
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
    answer = client.options("/api/projects", headers=headers)
    assert answer.status_code == 204
    assert "PATCH" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("accept", "coding"),
    [("gzip", "gzip"), ("br, *;q=0.5", "gzip"), ("gzip;q=0", None), ("identity", None)],
)
def test_large_answers_are_compressed_for_those_who_take_it(client: httpx.Client, accept, coding):
    answer = client.get("/api/openapi.json", headers={"Accept-Encoding": accept})
    assert answer.headers.get("content-encoding") == coding
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.json()["openapi"]
    assert "content-encoding" not in client.get("/", headers={"Accept-Encoding": accept}).headers


def test_the_access_log_names_the_request_and_nothing_it_carried(client: httpx.Client, caplog):
    with caplog.at_level(logging.INFO, logger="tracker.access"):
        client.post("/api/projects?secret=1", json={"name": "hidden"}, headers={"X-Request-ID": "logged"})
    (record,) = [each for each in caplog.records if getattr(each, "request_id", "") == "logged"]
    line = json.loads(JsonLines().format(record))
    assert (line["method"], line["path"], line["status"]) == ("POST", "/api/projects", 422)
    assert "secret" not in str(line) and "hidden" not in str(line)
