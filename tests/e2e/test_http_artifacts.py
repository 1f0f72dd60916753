"""Files over a real socket: as the contract has them, in parts, cut off, too large, too slow."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import tracker
from tests.e2e.conftest import LiveServer
from tests.e2e.processes import ServerProcess
from tracker.domain.artifacts.digest import digest_of

Json = dict[str, Any]


def upload(client: httpx.Client, content: bytes, digest: str | None = None) -> httpx.Response:
    query = {"hash": digest or digest_of(content)}
    return client.post("/api/blobs/upload", params=query, files={"file": ("name.bin", content)})


def put(client: httpx.Client, experiment: Json, content: bytes, **fields: Any) -> Json:
    assert upload(client, content).status_code == 200
    body = {"name": "page.html", "hash": digest_of(content), "size": len(content), **fields}
    answer = client.post(f"/api/experiments/{experiment['id']}/artifacts", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_the_routes_of_the_contract_take_and_give_a_snapshot(client, experiment):
    name = f"run {experiment['id']}"
    client.patch(f"/api/experiments/{experiment['id']}", json={"name": name})
    files = {"train.py": b"print('hi')", "pkg/__init__.py": b"", "pkg/model.py": os.urandom(200_000)}
    hashes = [digest_of(content) for content in files.values()]
    missing = client.post("/api/blobs/check", json=hashes).json()["missing"]
    assert set(hashes[2:]) <= set(missing) <= set(hashes)
    for content in files.values():
        upload(client, content).raise_for_status()
    assert client.post("/api/blobs/check", json=hashes).json() == {"missing": []}
    listed = [
        {"path": path, "hash": digest_of(content), "size": len(content)} for path, content in files.items()
    ]
    answer = client.post("/api/snapshots", json={"experiment_name": name, "files": listed})
    assert set(answer.json()) == {"snapshot_id"}
    zipped = client.get(f"/api/snapshots/{answer.json()['snapshot_id']}/download")
    assert zipped.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files
    (shown,) = client.get(f"/api/experiments/{experiment['id']}/snapshots").json()
    assert shown["id"] == answer.json()["snapshot_id"]
    assert shown["size"] == sum(map(len, files.values()))


def test_a_zip_has_modes_and_links(client, experiment):
    tree = [
        ("bin/run", b"#!/bin/sh\n", "755", False), ("latest", b"../outside", "644", True),
        ("データ.txt", b"x", "644", False),
    ]  # fmt: skip
    for _, content, _, _ in tree:
        upload(client, content).raise_for_status()
    files = [
        {"path": path, "hash": digest_of(content), "size": len(content), "mode": mode, "link": link}
        for path, content, mode, link in tree
    ]
    body = {"experiment_id": experiment["id"], "files": files, "environment": {"packages": {"a": "1"}}}
    taken = client.post("/api/snapshots", json=body).json()["snapshot_id"]
    zipped = client.get(f"/api/snapshots/{taken}/download").content
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        modes = {info.filename: info.external_attr >> 16 for info in archive.infolist()}
        assert archive.read("latest") == b"../outside"
    assert modes == {
        "bin/run": stat.S_IFREG | 0o755, "latest": stat.S_IFLNK | 0o777, "データ.txt": stat.S_IFREG | 0o644,
    }  # fmt: skip
    assert client.get(f"/api/snapshots/{taken}").json()["environment"] == {"packages": {"a": "1"}}


@pytest.mark.parametrize(
    "paths",
    [
        ["../evil"],
        ["/etc/passwd"],
        ["a/../../b"],
        ["C:\\x"],
        ["C:/x"],
        ["a", "a/b"],
        ["a", "a"],
        [""],
        ["a//b"],
    ],
)
def test_a_tree_that_could_leave_its_folder_is_refused(client, experiment, paths):
    upload(client, b"x").raise_for_status()
    files = [{"path": path, "hash": digest_of(b"x"), "size": 1} for path in paths]
    answer = client.post("/api/snapshots", json={"experiment_id": experiment["id"], "files": files})
    assert answer.status_code == 422, answer.text
    assert client.get(f"/api/experiments/{experiment['id']}/snapshots").json() == []


def test_bytes_that_do_not_hash_to_what_was_said_are_a_conflict(client):
    claimed = digest_of(os.urandom(8))
    answer = upload(client, os.urandom(3_000_000), claimed)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert client.post("/api/blobs/check", json=[claimed]).json() == {"missing": [claimed]}


def test_a_file_may_be_larger_than_other_bodies_but_not_than_its_own_limit(start_server, tmp_path):
    live = start_server(tmp_path / "small", max_blob_bytes=5_000_000)
    with httpx.Client(base_url=live.url, timeout=60) as client:
        assert upload(client, bytes(4_900_000)).status_code == 200  # other bodies: 1 MiB
        for too_much in (5_000_001, 20_000_000):
            answer = upload(client, bytes(too_much))
            assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
            assert "TRACKER_MAX_BLOB" in answer.json()["detail"]
            digest = digest_of(bytes(too_much))
            assert client.post("/api/blobs/check", json=[digest]).json()["missing"] == [digest]
    assert list((tmp_path / "small" / "blobs" / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("media", "content", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"x", 422),
        ("multipart/form-data; boundary=b", b"nothing of a form", 422),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", 422),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx',
            422,
        ),
    ],
)
def test_what_is_no_form_with_a_file_is_refused(client, media, content, status):
    headers = {"Content-Type": media}
    answer = client.post("/api/blobs/upload", params={"hash": "0" * 64}, content=content, headers=headers)
    assert (answer.status_code, "detail" in answer.json()) == (status, True)


def form_head(live: LiveServer, length: int, digest: str) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    return (
        f"POST /api/blobs/upload?hash={digest} HTTP/1.1\r\nHost: 127.0.0.1:{live.port}\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {length}\r\n\r\n"
    ).encode() + part


def test_an_upload_that_is_cut_off_leaves_nothing(start_server, tmp_path):
    live = start_server(tmp_path / "cut")
    digest = digest_of(bytes(2_000_000))
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(form_head(live, 50_000_000, digest) + bytes(2_000_000))
    incoming = tmp_path / "cut" / "blobs" / "incoming"
    for _ in range(400):
        if incoming.is_dir() and not list(incoming.iterdir()):
            break
        time.sleep(0.02)
    with httpx.Client(base_url=live.url) as client:
        assert client.post("/api/blobs/check", json=[digest]).json()["missing"] == [digest]
    assert list(incoming.iterdir()) == []


def test_an_upload_that_stands_still_is_dropped(start_server, tmp_path):
    live = start_server(tmp_path / "slow", body_seconds=1)
    with socket.create_connection(("127.0.0.1", live.port), timeout=60) as connection:
        connection.sendall(form_head(live, 50_000_000, "0" * 64) + b"abc")
        assert connection.recv(65536).split(b"\r\n")[0].split()[1] == b"408"


def test_an_artifact_is_given_to_keep_and_never_shown(client, experiment):
    content = b"<script>alert(1)</script>"
    artifact = put(client, experiment, content, name='a/Ünï "x".html', mediaType="text/html")
    answer = client.get(f"/api/artifacts/{artifact['id']}/content")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"_n_ _x_.html\"; filename*=UTF-8''%C3%9Cn%C3%AF%20%22x%22.html"
    )


def test_parts_of_an_artifact_are_given_as_asked(client, experiment):
    content = os.urandom(3_000_000)
    artifact = put(client, experiment, content)
    for path in (f"/api/artifacts/{artifact['id']}/content", f"/api/blobs/content?hash={artifact['hash']}"):
        for asked, start, stop in (
            ("bytes=0-0", 0, 1), ("bytes=5-", 5, 3_000_000), ("bytes=-7", 2_999_993, 3_000_000),
            ("bytes=2999999-99999999", 2_999_999, 3_000_000), ("bytes=-99999999", 0, 3_000_000),
            ("bytes=1000000-2000000", 1_000_000, 2_000_001),
        ):  # fmt: skip
            answer = client.get(path, headers={"Range": asked})
            assert (answer.status_code, answer.content) == (206, content[start:stop])
            assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/3000000"
        for whole in ("bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=-", "nonsense"):
            answer = client.get(path, headers={"Range": whole})
            assert (answer.status_code, len(answer.content)) == (200, 3_000_000)
        for beyond in ("bytes=3000000-", "bytes=-0"):
            answer = client.get(path, headers={"Range": beyond})
            assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */3000000")
        tag = client.get(path).headers["etag"]
        for known in (tag, f'"other", {tag}', "*"):
            answer = client.get(path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b"")
        for condition, status in ((tag, 206), ('"other"', 200)):
            answer = client.get(path, headers={"Range": "bytes=0-1", "If-Range": condition})
            assert answer.status_code == status


def test_a_download_that_is_asked_for_with_a_body_is_whole(client, experiment):
    content = os.urandom(3_000_000)
    artifact = put(client, experiment, content)

    def slowly() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * 1000
            time.sleep(0.02)

    path = f"/api/artifacts/{artifact['id']}/content"
    assert client.request("GET", path, content=slowly()).content == content


def test_an_empty_artifact_has_no_parts(client, experiment):
    artifact = put(client, experiment, b"")
    path = f"/api/artifacts/{artifact['id']}/content"
    assert client.get(path).content == b""
    assert client.get(path, headers={"Range": "bytes=0-"}).status_code == 416


def test_the_server_is_not_ready_without_its_blobs(start_server, tmp_path):
    folder = tmp_path / "data"
    live = start_server(folder)
    with httpx.Client(base_url=live.url) as client:
        assert "blobs" in client.get("/api/health/ready").json()["ready"]
        (folder / "blobs").rename(folder / "elsewhere")
        (folder / "blobs").write_text("a file")
        answer = client.get("/api/health/ready")
        assert (answer.status_code, "blobs:" in answer.json()["detail"]) == (503, True)


HALF_A_GIGABYTE = 500 * 2**20
ROOM = 50 * 2**20


def peak(pid: int) -> int:
    """The most memory that a process had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.fixture
def large_file(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "large"
    piece = os.urandom(2**20)
    with file.open("wb") as target:
        for number in range(HALF_A_GIGABYTE // 2**20):
            target.write(number.to_bytes(8, "big") + piece[8:])
    yield file
    file.unlink()


@pytest.mark.slow
def test_half_a_gigabyte_passes_through_without_being_held(large_file: Path, tmp_path: Path) -> None:
    digest = digest_of_file(large_file)
    with (
        ServerProcess(tmp_path / "data") as server,
        server.client() as client,
        tracker.open(url=str(client.base_url)) as library,
    ):
        run = library.experiments.create(library.projects.create("p").id, name="a")
        small = b"x" * 2**20
        library.artifacts.upload(digest_of(small), small)
        library.artifacts.read(digest_of(small))
        before, own = peak(server.process.pid), peak(os.getpid())
        library.artifacts.upload(digest, large_file)
        artifact = library.artifacts.put(run.id, "large", digest=digest, size=HALF_A_GIGABYTE)
        fetched = library.artifacts.download(artifact, tmp_path / "fetched")
        assert digest_of_file(fetched) == digest
        assert peak(server.process.pid) - before < ROOM
        assert peak(os.getpid()) - own < ROOM


@pytest.mark.slow
def test_a_full_disk_is_told_and_keeps_nothing(tmp_path: Path) -> None:
    content = os.urandom(4 * 2**20)
    with ServerProcess(tmp_path / "data", largest_file=2**20) as server, server.client() as client:
        answer = upload(client, content)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert client.post("/api/blobs/check", json=[digest_of(content)]).json()["missing"]
        assert list((tmp_path / "data" / "blobs" / "incoming").iterdir()) == []
        server.resize_files(2**30)
        assert upload(client, content).status_code == 200
        assert client.post("/api/blobs/check", json=[digest_of(content)]).json() == {"missing": []}


def digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
