"""The library in process, with ``await`` and without."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

import tracker


def test_threads_that_create_one_project_at_once_all_get_the_same(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as tr, ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda _: tr.projects.create("p", exist_ok=True), range(8))
        assert len({project.id for project in made}) == 1


async def test_it_works_inside_a_running_loop(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as tr:
        made = tr.projects.create("p")
    async with tracker.aopen(tmp_path) as library:
        assert await library.projects.get(str(made.id)) == made


def test_a_closed_library_says_so(tmp_path: Path) -> None:
    tr = tracker.open(tmp_path)
    tr.close()
    tr.close()
    with pytest.raises(tracker.Conflict, match="closed"):
        tr.projects.list()


def test_bad_ids_are_refused_and_unknown_ones_not_found(tmp_path: Path) -> None:
    with tracker.open(tmp_path) as tr:
        with pytest.raises(tracker.Invalid, match="project_id"):
            tr.projects.get("nonsense")
        with pytest.raises(tracker.NotFound):
            tr.experiments.get(uuid4())


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with tracker.open(url="http://127.0.0.1:9") as tr, pytest.raises(tracker.Unavailable, match="answer"):
        tr.projects.list()
