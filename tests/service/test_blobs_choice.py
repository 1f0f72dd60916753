"""Which store of blobs settings choose, and one in a bucket behind the whole library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import tracker
from tests.factories import new_id
from tests.s3_server import CREDENTIALS, moto_server
from tracker.adapters.blobs.local import LocalBlobStore
from tracker.container import blob_store
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import Invalid, Unavailable
from tracker.settings import Settings

pytestmark = pytest.mark.slow  # a bucket needs a server of its own


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("obstore", reason="needs the extra s3")
    pytest.importorskip("moto", reason="needs the development group")
    with moto_server() as url:
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty bucket, which the environment names."""
    name = f"b{new_id().hex}"
    assert httpx.put(f"{server}/{name}").is_success
    variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": server, "BLOBS_URL": f"s3://{name}/team"}
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    return f"{server}/{name}"


def test_without_an_address_blobs_are_in_the_data_folder(tmp_path: Path) -> None:
    assert isinstance(blob_store(Settings(data=tmp_path)), LocalBlobStore)


@pytest.mark.parametrize("url", ["ftp://a/b", "/some/folder", "s3://", "s3:///x", "s3://a b"])
def test_an_address_of_another_kind_is_refused_by_name(url: str) -> None:
    with pytest.raises(Invalid, match="BLOBS_URL"):
        Settings.load(environ={"BLOBS_URL": url})


def test_a_missing_driver_is_told_with_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "tracker.adapters.blobs.s3", raising=False)
    with pytest.raises(Invalid, match=r"pip install 'tracker\[s3\]'"):
        blob_store(Settings(data=tmp_path, blobs_url="s3://bucket"))


def test_a_run_s_files_lie_in_the_bucket(bucket: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 80_000  # more than one part
    digest = digest_of(content)
    with tracker.open(tmp_path / "data") as library:
        run = library.experiments.create(library.projects.create("p").id, name="a")
        assert library.artifacts.missing([digest]) == (digest,)
        library.artifacts.upload(digest, content)
        assert library.artifacts.missing([digest]) == ()
        kept = library.artifacts.put(run.id, "weights", digest=digest, size=len(content))
        assert library.artifacts.read(kept) == content
    listed = httpx.get(bucket).text
    assert f"<Key>team/{digest[:2]}/{digest[2:4]}/{digest}</Key>" in listed
    assert not (tmp_path / "data" / "blobs").exists()
    assert list((tmp_path / "data" / "incoming-blobs").iterdir()) == []


def test_a_bucket_that_is_not_there_is_unavailable_and_keeps_nothing(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOBS_URL", "s3://absent-bucket")
    with tracker.open(tmp_path / "data") as library:
        with pytest.raises(Unavailable, match="s3://absent-bucket"):
            library.artifacts.upload(digest_of(b"a"), b"a")
        assert library.artifacts.missing([digest_of(b"a")]) == (digest_of(b"a"),)
    assert list((tmp_path / "data" / "incoming-blobs").iterdir()) == []
