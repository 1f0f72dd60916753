"""Runs that hypotheses are about, and people who may do single things."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.factories import new_id
from tests.service.conftest import House
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.experiments.lifecycle import Status
from tracker.domain.hypotheses.hypothesis import Target
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import Access, Actor
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.ids import GrantId
from tracker.domain.projects.project import Project

TARGETS = (Target(name="acc"),)


async def seeds(
    house: House, project: Project, width: int, values: Collection[float], **fields: Any
) -> list[Experiment]:
    runs = []
    for seed, value in enumerate(values):
        run = await house.experiments.create(
            house.actor, project.id, name=f"w{width}s{seed}", status=Status.COMPLETE,
            params={"width": width, "seed": seed}, **fields,
        )  # fmt: skip
        await house.metrics.log(house.actor, run.id, "acc", value)
        runs.append(run)
    return runs


def allowed(project: Project, *actions: Action) -> Actor:
    """Somebody who was given these single actions on a project."""
    user = new_id()
    grants = tuple(
        Grant(
            id=GrantId(new_id()), user_id=user, action=action, project_id=project.id,
            created_at=project.created_at,
        )
        for action in actions
    )  # fmt: skip
    return Actor(user_id=user, access=Access(grants=grants))
