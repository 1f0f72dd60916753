from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tracker.adapters.system.ids import UuidV7Generator


def test_ids_ascend_and_are_version_7() -> None:
    ids = UuidV7Generator()
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert all(i.version == 7 and i.variant == "specified in RFC 4122" for i in made)


def test_ids_tell_the_time_of_their_making() -> None:
    before = datetime.now(UTC).timestamp()
    made = UuidV7Generator().new()
    assert before - 0.01 <= (made.int >> 80) / 1000 <= datetime.now(UTC).timestamp() + 0.01


def test_ids_of_many_threads_are_distinct() -> None:
    ids = UuidV7Generator()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new(), range(20_000)))
    assert len(set(made)) == len(made)


_FORKING = """
import os, sys
from tracker.adapters.system.random_bits import RandomBits

bits = RandomBits()
bits.next64()
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, str(bits.next64()).encode())
    os._exit(0)
os.wait()
sys.exit(os.read(reading, 100).decode() == str(bits.next64()))
"""


def test_a_forked_process_does_not_go_on_with_the_random_bits_of_its_parent() -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-c", _FORKING], timeout=60, check=True)
