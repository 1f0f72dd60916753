from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.factories import new_id
from tests.s3_server import CREDENTIALS, moto_server
from tracker.adapters.blobs.local import LocalBlobStore
from tracker.adapters.memory.blobs import MemoryBlobStore
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.errors import Conflict, NotFound
from tracker.ports.blobs import BlobStore

ABSENT = digest_of(b"nobody put this")


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    pytest.importorskip("obstore", reason="needs the extra s3")
    pytest.importorskip("moto", reason="needs the development group")
    with moto_server() as url:
        yield url


@pytest.fixture(params=["memory", "local", pytest.param("s3", marks=pytest.mark.slow)])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BlobStore]:
    opened: BlobStore
    if request.param == "memory":
        opened = MemoryBlobStore()
    elif request.param == "local":
        opened = LocalBlobStore(tmp_path / "data" / "blobs")
    else:
        from tracker.adapters.blobs.s3 import S3BlobStore  # its driver is an extra

        server = request.getfixturevalue("s3_server")
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        bucket = f"b{new_id().hex}"
        assert httpx.put(f"{server}/{bucket}").is_success
        opened = S3BlobStore(f"s3://{bucket}/some/prefix", tmp_path / "spool", server)
    yield opened
    await opened.close()


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def content(store: BlobStore, digest: str, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(digest, start, stop)])


async def put(store: BlobStore, data: bytes) -> str:
    digest = digest_of(data)
    assert await store.put(digest, pieces(data)) == len(data)
    return digest


class TestBlobStore:
    """What every adapter of the blob port keeps."""

    @pytest.mark.parametrize("data", [b"", b"\0", b"abc" * 1000, bytes(range(256)) * 4096 * 20], ids=len)
    async def test_bytes_come_back_as_they_were(self, store: BlobStore, data: bytes) -> None:
        digest = await put(store, data)
        assert await content(store, digest) == data
        assert await store.size(digest) == len(data)

    async def test_they_may_come_in_any_pieces_and_leave_in_small_ones(self, store: BlobStore) -> None:
        parts = [b"a" * 3, b"", b"b" * 2_000_000, b"c", b"d" * 17_000_000]
        digest = digest_of(b"".join(parts))
        await store.put(digest, pieces(*parts))
        read = [piece async for piece in store.read(digest)]
        assert b"".join(read) == b"".join(parts)
        assert max(map(len, read)) <= 2**23

    async def test_a_range_is_exactly_that(self, store: BlobStore) -> None:
        data = bytes(range(256)) * 50_000
        digest = await put(store, data)
        for start, stop in (
            (0, 1), (5, 5), (255, 257), (len(data) - 1, None), (len(data) - 1, len(data) + 99),
            (len(data), None), (2**20 - 1, 2**20 + 1), (100, 9_000_000),
        ):  # fmt: skip
            assert await content(store, digest, start, stop) == data[start:stop]

    async def test_other_bytes_than_were_named_are_not_kept(self, store: BlobStore) -> None:
        for claimed, sent in ((digest_of(b"x"), b"y"), (digest_of(b""), b"y"), (ABSENT, b"")):
            with pytest.raises(Conflict):
                await store.put(claimed, pieces(sent))
            assert await store.size(claimed) is None
            assert await store.has([claimed]) == frozenset()

    async def test_bytes_that_stop_coming_leave_nothing(self, store: BlobStore) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"a" * 3_000_000
            raise ConnectionResetError("gone")

        with pytest.raises(Exception, match="gone"):
            await store.put(digest_of(b"a" * 3_000_000), broken())
        assert await store.has([digest_of(b"a" * 3_000_000)]) == frozenset()

    async def test_the_same_again_and_at_once_is_no_error(self, store: BlobStore) -> None:
        data = b"twice" * 500_000
        digest = await put(store, data)
        sizes = await asyncio.gather(*(store.put(digest, pieces(data)) for _ in range(4)))
        assert sizes == [len(data)] * 4
        assert await content(store, digest) == data

    async def test_a_mismatch_does_not_harm_what_is_there(self, store: BlobStore) -> None:
        digest = await put(store, b"good")
        with pytest.raises(Conflict):
            await store.put(digest, pieces(b"evil"))
        assert await content(store, digest) == b"good"

    async def test_many_are_kept_at_once_beside_what_is_there(self, store: BlobStore) -> None:
        here = await put(store, b"here")
        contents = {digest_of(each): each for each in (b"", b"here", *(bytes([n]) * n for n in range(1, 70)))}
        await store.put_many(contents)
        await store.put_many({})
        assert await store.has(contents) == contents.keys() | {here}
        assert {digest: await content(store, digest) for digest in contents} == contents

    async def test_of_many_none_is_kept_when_one_is_wrong(self, store: BlobStore) -> None:
        good = await put(store, b"good")
        new = {digest_of(each): each for each in (b"1", b"2", b"3")}
        for wrong in ({good: b"evil"}, {ABSENT: b""}):
            for contents in ({**new, **wrong}, {**wrong, **new}):
                with pytest.raises(Conflict, match="nothing was kept"):
                    await store.put_many(contents)
        assert await store.has([*new, ABSENT, good]) == {good}
        assert await content(store, good) == b"good"

    async def test_many_at_once_from_several_sides_are_no_error(self, store: BlobStore) -> None:
        contents = {digest_of(each): each for each in (str(n).encode() for n in range(50))}
        one = next(iter(contents.items()))
        await asyncio.gather(*(store.put_many(contents) for _ in range(3)), store.put(one[0], pieces(one[1])))
        assert {digest: await content(store, digest) for digest in contents} == contents

    async def test_it_tells_which_of_many_it_has(self, store: BlobStore) -> None:
        kept = {await put(store, str(n).encode()) for n in range(40)}
        absent = {digest_of(f"absent {n}".encode()) for n in range(40)}
        assert await store.has(kept | absent) == kept
        assert await store.has([]) == frozenset()

    async def test_what_is_absent_has_no_size_and_no_bytes(self, store: BlobStore) -> None:
        assert await store.size(ABSENT) is None
        with pytest.raises(NotFound):
            await content(store, ABSENT)

    async def test_what_is_deleted_is_gone_and_may_come_again(self, store: BlobStore) -> None:
        gone, stays = await put(store, b"gone"), await put(store, b"stays")
        await store.delete([gone, ABSENT])
        await store.delete([gone])
        await store.delete([])
        assert await store.has([gone, stays]) == {stays}
        assert await content(store, await put(store, b"gone")) == b"gone"

    async def test_one_that_answers_passes_the_check(self, store: BlobStore) -> None:
        await store.check()
        await store.close()
        await store.close()
