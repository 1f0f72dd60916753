"""Run as a process of its own: rotates the keys of secrets again and again, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tracker.adapters.security.secrets_box import AesGcmSecretsBox
from tracker.adapters.sql.database import Database
from tracker.adapters.system.clock import SystemClock
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.secret_keeping import service
from tracker.domain.evaluation.secret_keeping.service import SecretService
from tracker.domain.identity.actor import local_actor


async def rotate(url: str, keys: Path, times: int) -> None:
    service._BATCH = 3  # many transactions, between which it may be killed
    database = Database(url)
    secrets = SecretService(database.units, SystemClock(), AesGcmSecretsBox(keys))
    print("ready", flush=True)
    done = 0
    while done < times:
        try:
            rotation = await secrets.rotate(local_actor("shell"))
        except Unavailable:  # the database was busy for too long
            continue
        done += 1
        print(rotation.key_id, rotation.resealed, len(rotation.unreadable), flush=True)
    await database.dispose()


if __name__ == "__main__":
    asyncio.run(rotate(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
