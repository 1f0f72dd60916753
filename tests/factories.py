"""Builders of entities: every field has a default, any can be given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Project
from tracker.domain.projects.purge import Purge

__all__ = ["NOON", "a_metric", "a_project", "a_purge", "a_user", "an_experiment", "new_id"]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

_ids = UuidV7Generator()


def new_id() -> UUID:
    return _ids.new()


def a_project(**fields: Any) -> Project:
    return Project(**{"id": new_id(), "name": "digits", "owner_id": LOCAL_USER, "created_at": NOON, **fields})


def a_user(**fields: Any) -> User:
    key = fields.pop("id", None) or new_id()
    defaults = {"id": key, "email": f"{key}@example.org", "display_name": "Ada", "created_at": NOON}
    return User(**{**defaults, **fields})


def an_experiment(project: Project, **fields: Any) -> Experiment:
    defaults = {
        "id": new_id(),
        "project_id": project.id,
        "name": "1_baseline",
        "color": "#0072b2",
        "created_at": NOON,
    }
    return Experiment(**{**defaults, **fields})


def a_metric(experiment: Experiment, **fields: Any) -> Metric:
    defaults = {
        "id": new_id(),
        "experiment_id": experiment.id,
        "name": "acc",
        "value": 0.5,
        "created_at": NOON,
    }
    return Metric(**{**defaults, **fields})


def a_purge(**fields: Any) -> Purge:
    return Purge(**{"id": new_id(), "project_id": new_id(), "requested_at": NOON, **fields})
