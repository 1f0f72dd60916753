"""Use cases of blobs: the bytes below artifacts and snapshots."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from tracker.domain.artifacts.digest import checked_digest
from tracker.domain.errors import Conflict, NotFound, Unavailable
from tracker.domain.identity.actor import Actor
from tracker.domain.identity.policy import Action, may, require, require_scopes
from tracker.domain.projects.purge import GRACE
from tracker.ports.blobs import BlobStore
from tracker.ports.clock import Clock
from tracker.ports.unit_of_work import ReadingUnit, UnitsOfWork, WritingUnit

__all__ = ["REFERENCES", "Blob", "BlobService", "require_blobs", "seen"]

REFERENCES = "blobs"
"""The lock that is held while references to blobs are made, and while unused blobs are deleted."""

_REVIEWED_AT_ONCE = 500
_REVIEWS_A_SWEEP = 20
_NAMED_AT_MOST = 5


class Blob:
    """A blob that somebody may read.

    Args:
        store: that has it.
        digest: what it is called by.
        size: of it in bytes.
    """

    def __init__(self, store: BlobStore, digest: str, size: int) -> None:
        self.digest = digest
        self.size = size
        self._store = store

    def read(self, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes ``start <= i < stop``, piece by piece."""
        return self._store.read(self.digest, start, stop)


async def seen(unit: ReadingUnit, actor: Actor, digests: Collection[str], clock: Clock) -> frozenset[str]:
    """Those of which `actor` may know that they are there: put by them within a day, or referred to by a
    project whose artifacts they may see."""
    own = await unit.blobs.uploaded(digests, actor.user_id, clock.now() - GRACE)
    others = frozenset(digests) - own
    if not others:
        return own
    if may(actor, Action.ARTIFACTS_VIEW):  # everywhere, as superusers may
        return own | await unit.blobs.referred(others, None)
    scopes = await unit.blobs.referring(others)
    projects = [scope.project_id for scope in scopes if may(actor, Action.ARTIFACTS_VIEW, scope)]
    return own | (await unit.blobs.referred(others, projects) if projects else frozenset())


async def require_blobs(unit: WritingUnit, actor: Actor, sizes: Mapping[str, int], clock: Clock) -> None:
    """Lets pass digests that `actor` may refer to, and keeps them from being deleted until the unit ends.

    Args:
        unit: in which they are referred to.
        actor: by whom.
        sizes: of each digest, as they say.
        clock: tells what they put lately.

    Raises:
        Conflict: a blob is not there as far as they may know, or has another size; names some.
    """
    await unit.lock(REFERENCES)
    lacking = sizes.keys() - await seen(unit, actor, sizes, clock)
    if lacking:
        raise Conflict(f"not uploaded: {_some(lacking)}; upload the bytes first, then name them")
    known = await unit.blobs.sizes(sizes)
    wrong = {digest for digest, size in sizes.items() if known.get(digest) != size}
    if wrong:
        raise Conflict(f"size: these blobs are not as large as said: {_some(wrong)}")


def _some(digests: Collection[str]) -> str:
    more = ", ..." if len(digests) > _NAMED_AT_MOST else ""
    return ", ".join(sorted(digests)[:_NAMED_AT_MOST]) + more


class BlobService:
    """Takes bytes, gives them back, and deletes those that nobody refers to any more.

    Args:
        units: opens units of work.
        store: of the bytes.
        clock: tells when things happen.
    """

    def __init__(self, units: UnitsOfWork, store: BlobStore, clock: Clock) -> None:
        self._units = units
        self._store = store
        self._clock = clock

    async def missing(self, actor: Actor, digests: Sequence[str]) -> tuple[str, ...]:
        """Those that `actor` has to upload, each once, in the given order.

        One that is there but that they may not know of is told as missing; uploading it then costs them
        the bytes and teaches them nothing. The others stay for a day at least.

        Raises:
            Forbidden: they may not log artifacts with this API token.
            Invalid: a text is no digest.
        """
        require(actor, Action.ARTIFACTS_LOG, None, kind="blob", key="")
        wanted = list(dict.fromkeys(checked_digest(each) for each in digests))
        now = self._clock.now()
        async with self._units.reading() as unit:
            known = await seen(unit, actor, wanted, self._clock)
            soon = await unit.blobs.expiring(known, before=now + GRACE / 2)
        here = await self._store.has(known)
        if soon & here:
            async with self._units.writing() as unit:
                await unit.blobs.postpone(soon & here, review_at=now + GRACE)
                await unit.commit()
        return tuple(digest for digest in wanted if digest not in here)

    async def upload(self, actor: Actor, digest: str, chunks: AsyncIterator[bytes]) -> int:
        """Keeps bytes, durable when it returns; `actor` has a day to refer to them. Tells their size.

        Raises:
            Forbidden: they may not log artifacts with this API token.
            Invalid: `digest` is none.
            Conflict: the bytes do not hash to it.
            Unavailable: the store is full or does not answer; nothing was kept.
        """
        require(actor, Action.ARTIFACTS_LOG, None, kind="blob", key=digest)
        checked_digest(digest, "hash")
        await self._reserve([digest])
        size = await self._store.put(digest, chunks)
        await self._note({digest: size}, actor)
        return size

    async def upload_many(self, actor: Actor, contents: Mapping[str, bytes]) -> int:
        """Keeps many small blobs as :meth:`upload` keeps one, all of them or none. Tells their size in all.

        However many there are, it takes two units of work.

        Raises:
            Forbidden: they may not log artifacts with this API token.
            Invalid: a text is no digest.
            Conflict: some bytes do not hash to it.
            Unavailable: the store is full or does not answer; all of them are missing, whatever it kept.
        """
        require(actor, Action.ARTIFACTS_LOG, None, kind="blob", key="")
        sizes = {checked_digest(digest, "hash"): len(content) for digest, content in contents.items()}
        if sizes:
            await self._reserve(sizes)
            await self._store.put_many(contents)
            await self._note(sizes, actor)
        return sum(sizes.values())

    async def _reserve(self, digests: Collection[str]) -> None:
        """The rows come first: bytes without one would be found by nobody who deletes what is not used."""
        async with self._units.writing() as unit:
            await unit.lock(REFERENCES)
            await unit.blobs.reserve(digests, review_at=self._clock.now() + GRACE)
            await unit.commit()

    async def _note(self, sizes: Mapping[str, int], actor: Actor) -> None:
        async with self._units.writing() as unit:
            await unit.blobs.note_uploads(sizes, actor.user_id, self._clock.now())
            await unit.commit()

    async def open(self, actor: Actor, digest: str) -> Blob:
        """A blob to read.

        Raises:
            Invalid: `digest` is none.
            NotFound: there is none that `actor` may know of.
            Forbidden: they may not see artifacts with this API token.
            Unavailable: the store lost it.
        """
        require_scopes(actor, [Action.ARTIFACTS_VIEW])
        checked_digest(digest, "hash")
        async with self._units.reading() as unit:
            if digest not in await seen(unit, actor, [digest], self._clock):
                raise NotFound.of("blob", digest)
        return await opened(self._store, digest)

    async def sweep(self) -> int:
        """Deletes blobs to which nobody referred when their day was over; how many."""
        async with self._units.reading() as unit:
            if not await unit.blobs.due(self._clock.now(), 1):
                return 0
        deleted = 0
        for _ in range(_REVIEWS_A_SWEEP):
            reviewed, unused = await self._review()
            deleted += unused
            if reviewed < _REVIEWED_AT_ONCE:
                break
        return deleted

    async def _review(self) -> tuple[int, int]:
        """How many were looked at, and how many of them deleted."""
        now = self._clock.now()
        async with self._units.writing() as unit:
            # Held until the bytes are gone: who refers to them, or puts them again, does it before or after.
            await unit.lock(REFERENCES)
            due = await unit.blobs.due(now, _REVIEWED_AT_ONCE)
            used = await unit.blobs.referred(due, None)
            unused = [digest for digest in due if digest not in used]
            await unit.blobs.keep(used, at=now, uploaded_before=now - GRACE)
            await self._store.delete(unused)
            await unit.blobs.forget(unused)
            await unit.commit()
        return len(due), len(unused)


async def opened(store: BlobStore, digest: str) -> Blob:
    """A blob that somebody refers to.

    Raises:
        Unavailable: the store lost it.
    """
    size = await store.size(digest)
    if size is None:
        raise Unavailable(f"the bytes of blob {digest} are not in the store any more; upload them again")
    return Blob(store, digest, size)
