"""What hypotheses cost and withstand over a SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tracker.container import Container, build, start, stop
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.hypothesis import HypothesisStatus, Target
from tracker.domain.identity.actor import local_actor
from tracker.domain.projects.project import Project
from tracker.settings import Settings

ROOT = local_actor("test")


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[Container]:
    made = build(Settings(data=tmp_path, database_url=f"sqlite:///{tmp_path}/tracker.db"))
    await start(made)
    yield made
    await stop(made)


async def furnished(container: Container, count: int) -> Project:
    """A project with some hypotheses about two experiments."""
    project = await container.projects().create(ROOT, name=f"p{count}")
    runs = []
    for width in (8, 64):
        run = await container.experiments().create(
            ROOT, project.id, name=f"w{width}", params={"width": width}, status=Status.COMPLETE
        )
        await container.metrics().log(ROOT, run.id, "acc", float(width))
        runs.append(run.id)
    for number in range(count):
        await container.hypotheses().create(
            ROOT, project.id, title=f"h{number}", targets=(Target(name="acc"),), baseline=runs[0],
            experiments=(runs[1],),
        )  # fmt: skip
    return project


async def test_a_list_costs_as_many_queries_however_long_it_is(container: Container) -> None:
    statements: list[str] = []
    few, many = await furnished(container, 1), await furnished(container, 20)
    sa.event.listen(
        container.database().engine.sync_engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2]),
    )
    costs = []
    for project, count in ((few, 1), (many, 20)):
        statements.clear()
        found = await container.hypotheses().list(ROOT, project.id)
        assert [each.status for each in found] == [HypothesisStatus.SUPPORTED] * count
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 8, statements


async def test_a_request_reads_the_project_once(container: Container) -> None:
    project = await furnished(container, 1)
    hypotheses, links = container.hypotheses(), container.hypothesis_links()
    (one,) = await hypotheses.list(ROOT, project.id)
    (run,), refuted = one.hypothesis.experiments, HypothesisStatus.REFUTED
    statements: list[str] = []
    sa.event.listen(
        container.database().engine.sync_engine,
        "before_cursor_execute",
        lambda *given: statements.append(given[2]),
    )
    for request in (
        hypotheses.get(ROOT, one.id),
        hypotheses.evidence(ROOT, one.id),
        hypotheses.counts(ROOT, project.id),
        hypotheses.recent(ROOT, project_id=project.id),
        hypotheses.edit(ROOT, one.id, title="b", status=HypothesisStatus.SUPPORTED),
        hypotheses.edit(ROOT, one.id, threshold=0.9, status=refuted, status_reason="twice is better"),
        hypotheses.decide(ROOT, one.id, None, "no"),
        hypotheses.create(ROOT, project.id, title="c", experiments=(run,), status=refuted),
        links.link(ROOT, one.id, [run]),
    ):
        statements.clear()
        await request
        assert len([each for each in statements if "metric_summaries" in each]) == 1, statements


async def test_links_made_at_once_are_all_kept(container: Container) -> None:
    project = await furnished(container, 1)
    (one,) = await container.hypotheses().list(ROOT, project.id)
    runs = [await container.experiments().create(ROOT, project.id, name=f"r{i}") for i in range(10)]
    links = container.hypothesis_links()
    await asyncio.gather(*(links.link(ROOT, one.id, [run.id]) for run in runs))
    shown = await container.hypotheses().get(ROOT, one.id)
    assert set(shown.hypothesis.experiments) >= {run.id for run in runs}
    assert shown.hypothesis.version == len(runs)
