"""What a local folder of blobs does with an upload that is broken off."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tracker.adapters.blobs.incoming import received

LARGE = bytes(2**26)  # takes long enough to be hashed that the upload is broken off meanwhile


async def test_an_upload_that_is_broken_off_writes_into_nobody_elses_file(tmp_path: Path) -> None:
    began = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        began.set()
        yield LARGE

    async def receive() -> None:
        async with received(tmp_path, hashlib.sha256(LARGE).hexdigest(), chunks()):
            pass

    uploading = asyncio.create_task(receive())
    await began.wait()
    await asyncio.sleep(0.02)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    with ExitStack() as opened:  # of which one has the number that the upload's file had
        others = [opened.enter_context((tmp_path / f"other-{number}").open("wb")) for number in range(20)]
        await asyncio.get_running_loop().shutdown_default_executor()  # what was begun has ended
        assert [os.fstat(other.fileno()).st_size for other in others] == [0] * 20
