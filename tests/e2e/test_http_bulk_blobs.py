"""Many small files in one request, as the library sends the code that runs."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import httpx
import msgpack
import pytest

import tracker
from entrypoints.http import app
from entrypoints.http.routes import ROUTES
from tests.e2e.conftest import ServerFactory
from tracker.domain.artifacts.digest import MOST_AT_ONCE, digest_of
from tracker.domain.errors import TooLarge

PACKED = {"Content-Type": "application/msgpack"}


def send(client: httpx.Client, body: object) -> httpx.Response:
    return client.post("/api/blobs/bulk", content=msgpack.packb(body), headers=PACKED)


def several(count: int, size: int) -> dict[str, bytes]:
    return {digest_of(content): content for content in (os.urandom(size) for _ in range(count))}


def missing(client: httpx.Client, digests: Mapping[str, object]) -> list[str]:
    return list(client.post("/api/blobs/check", json=list(digests)).json()["missing"])


def test_many_are_kept_in_one_request_and_told(client: httpx.Client) -> None:
    blobs = {**several(200, 1000), digest_of(b""): b""}
    for _ in range(2):
        answer = send(client, list(blobs.items()))
        assert (answer.status_code, answer.json()) == (200, {"blobs": 201, "size": 200_000})
    assert missing(client, blobs) == []
    digest, content = next(iter(blobs.items()))
    assert client.get("/api/blobs/content", params={"hash": digest}).content == content
    assert send(client, []).json() == {"blobs": 0, "size": 0}


def test_one_that_does_not_hash_to_what_was_said_keeps_the_others_out(client: httpx.Client) -> None:
    blobs, absent = several(3, 10), digest_of(os.urandom(8))
    answer = send(client, [*blobs.items(), (absent, b"other bytes")])
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert absent in answer.json()["detail"]
    assert missing(client, blobs) == list(blobs)


@pytest.mark.parametrize(
    "body",
    [
        {}, "text", [["0" * 64]], [["0" * 63, b"x"]], [["G" * 64, b"x"]], [["0" * 64, "text"]],
        [["0" * 64, None]], [[b"0" * 64, b"x"]], [["0" * 64, b"x", b"y"]], [None],
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_list_of_hashes_and_bytes_is_refused_and_named(client: httpx.Client, body: object) -> None:
    answer = send(client, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"][0]["loc"][0] == "body"


def test_a_body_of_another_kind_or_size_is_refused(client: httpx.Client) -> None:
    assert client.post("/api/blobs/bulk", json=[]).status_code == 415
    for raw in (b"\xc1", b"", b"\x91", b"\x91" * 3000):
        assert client.post("/api/blobs/bulk", content=raw, headers=PACKED).status_code == 422
    too_much = several(11, 100_000)
    answer = send(client, list(too_much.items()))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert missing(client, too_much) == list(too_much)
    too_many = {f"{number:064x}": b"" for number in range(MOST_AT_ONCE + 1)}
    assert send(client, list(too_many.items())).status_code == 422


def test_none_may_be_larger_than_a_file_that_comes_alone(start_server: ServerFactory, tmp_path: Path) -> None:
    live = start_server(tmp_path / "small", max_blob_bytes=1000)
    fits, too_large = several(5, 1000), several(1, 1001)
    with httpx.Client(base_url=live.url) as client, tracker.open(url=live.url) as library:
        answer = send(client, [*fits.items(), *too_large.items()])
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
        assert "TRACKER_MAX_BLOB" in answer.json()["detail"]
        assert missing(client, fits) == list(fits)
        with pytest.raises(TooLarge, match="TRACKER_MAX_BLOB"):
            library.artifacts.upload_many({**fits, **too_large})
        assert missing(client, {**fits, **too_large}) == list(too_large)


def test_a_server_that_takes_less_at_a_time_gets_less(start_server: ServerFactory, tmp_path: Path) -> None:
    live = start_server(tmp_path / "less", max_body_bytes=50_000)
    blobs = {**several(40, 10_000), **several(2, 60_000)}
    with httpx.Client(base_url=live.url) as client, tracker.open(url=live.url) as library:
        library.artifacts.upload_many(blobs)
        assert missing(client, blobs) == []


def test_a_server_without_the_route_gets_them_one_by_one(
    start_server: ServerFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    older = tuple(route for route in ROUTES if route.path != "/api/blobs/bulk")
    monkeypatch.setattr(app, "ROUTES", older)
    live = start_server(tmp_path / "older")
    blobs = several(30, 50_000)
    with httpx.Client(base_url=live.url) as client, tracker.open(url=live.url) as library:
        assert send(client, []).status_code == 404
        with caplog.at_level(logging.INFO, "tracker.access"):
            library.artifacts.upload_many(blobs)
        asked = Counter(record.__dict__.get("path") for record in caplog.records)
        assert asked == {"/api/blobs/bulk": 1, "/api/blobs/upload": 30}
        assert missing(client, blobs) == []
