"""Clients that create one run at the same time, each with connections of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.factories import new_id
from tests.service.test_lineage_races import ACTOR, clients, databases, project, url  # noqa: F401  (fixtures)
from tracker.domain.experiments.service import ExperimentService
from tracker.domain.ids import ProjectId


async def test_of_clients_with_one_run_key_one_creates_the_run(
    clients: Sequence[ExperimentService],  # noqa: F811
    project: ProjectId,  # noqa: F811
) -> None:
    for _ in range(5):
        key = new_id()
        made = await asyncio.gather(
            *(
                client.create(ACTOR, project, name=f"{{num}}_by_{index}", run_key=key)
                for index, client in enumerate(clients * 2)
            )
        )
        assert len({run.id for run in made}) == 1
    assert len(await clients[0].list(ACTOR, project)) == 5
