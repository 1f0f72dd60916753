"""Runs that send more to a server than one request can carry."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import tracker
from tests.e2e.conftest import ServerFactory

pytestmark = pytest.mark.slow  # processes of its own, for many seconds


def test_what_is_too_large_for_one_request_goes_in_parts_and_each_point_once(
    tmp_path: Path, start_server: ServerFactory
) -> None:
    server = start_server(tmp_path, max_body_bytes=300_000)
    names = [f"{'long' * 50}/{number}" for number in range(12_000)]  # 2.4 MB in a single call
    with tracker.init("p", url=server.url) as run:
        for step in range(30_000):
            run.log({"loss": step, "acc": -step}, step=step)
        run.log(dict.fromkeys(names, 0.5), step=7)
        run.finish(timeout=120)  # a busy machine takes longer than an ending usually may
    assert run.unsaved == 0
    with tracker.open(url=server.url) as library:
        (project,) = library.projects.list()
        summary = library.scalars.summary(project.id)
        assert {row.name: row.count for row in summary} == {"loss": 30_000, "acc": 30_000} | dict.fromkeys(
            names, 1
        )
        loss = library.scalars.read(run.id, "loss")
        assert loss.step.tolist() == loss.value.tolist() == list(range(30_000))


def test_a_point_that_no_request_can_carry_is_told_once_and_stops_no_other(
    tmp_path: Path,
    start_server: ServerFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = start_server(tmp_path, max_body_bytes=400)
    endless = ["\N{SNOWMAN}" * 250, "\N{UMBRELLA}" * 250]
    with caplog.at_level(logging.WARNING, "tracker.run"), tracker.init("p", url=server.url) as run:
        for step in range(50):
            run.log({"loss": step, endless[step % 2]: 1.0}, step=step)
        run.finish(timeout=120)
    assert run.unsaved == 50
    told = [record.message for record in caplog.records if "larger than 400 bytes" in record.message]
    assert told
    assert all("a part of what is in" in message for message in told)
    with tracker.open(url=server.url) as library:
        assert library.scalars.read(run.id, "loss").step.tolist() == list(range(50))
