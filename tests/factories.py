"""Builders of entities: every field has a default, any can be given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.artifacts.artifact import Artifact
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.artifacts.snapshot import Snapshot, SnapshotFile
from tracker.domain.experiments.experiment import Experiment
from tracker.domain.hypotheses.hypothesis import Decision, Hypothesis, HypothesisStatus, Target
from tracker.domain.identity.accounts.user import User
from tracker.domain.identity.actions import Action
from tracker.domain.identity.actor import LOCAL_USER
from tracker.domain.identity.audit.entry import AuditEntry, Event
from tracker.domain.identity.permissions.grant import Grant
from tracker.domain.identity.recovery.one_time_code import OneTimeCode, Purpose
from tracker.domain.identity.sessions.session import Session
from tracker.domain.identity.teams.team import Team
from tracker.domain.identity.tokens.api_token import ApiToken
from tracker.domain.metrics.metric import Metric
from tracker.domain.projects.project import Project
from tracker.domain.projects.purge import Purge

__all__ = [
    "NOON", "a_code", "a_decision", "a_file", "a_grant", "a_hypothesis", "a_metric", "a_project", "a_purge",
    "a_session", "a_snapshot", "a_team", "a_token", "a_user", "an_artifact", "an_entry", "an_experiment",
    "new_id",
]  # fmt: skip

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


def a_team(**fields: Any) -> Team:
    return Team(**{"id": new_id(), "name": "Research", "created_at": NOON, **fields})


def a_session(user: User, **fields: Any) -> Session:
    defaults = {"id": new_id(), "user_id": user.id, "epoch": 0, "expires_at": NOON + timedelta(days=7)}
    return Session(**{**defaults, **fields})


def a_token(user: User, **fields: Any) -> ApiToken:
    defaults = {
        "id": new_id(),
        "user_id": user.id,
        "name": "ci",
        "digest": bytes(32),
        "scopes": frozenset({Action.SCALARS_LOG}),
        "created_at": NOON,
    }
    return ApiToken(**{**defaults, **fields})


def a_code(**fields: Any) -> OneTimeCode:
    defaults = {
        "id": new_id(),
        "purpose": Purpose.RESET_PASSWORD,
        "digest": bytes(32),
        "created_at": NOON,
        "expires_at": NOON + timedelta(days=1),
    }
    return OneTimeCode(**{**defaults, **fields})


def a_grant(user: User, **fields: Any) -> Grant:
    defaults = {"id": new_id(), "user_id": user.id, "action": Action.PROJECT_EDIT, "created_at": NOON}
    return Grant(**{**defaults, **fields})


def an_entry(last: AuditEntry | None, **fields: Any) -> AuditEntry:
    event = Event(**{"what": "project.edit", "kind": "project", "key": "x", "at": NOON, **fields})
    return AuditEntry.after(last, event)


def a_hypothesis(project: Project, **fields: Any) -> Hypothesis:
    defaults = {
        "id": new_id(),
        "project_id": project.id,
        "title": "wider is better",
        "author_id": LOCAL_USER,
        "targets": (Target(name="acc"),),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Hypothesis(**{**defaults, **fields})


def a_decision(hypothesis: Hypothesis, **fields: Any) -> Decision:
    defaults = {
        "id": new_id(),
        "hypothesis_id": hypothesis.id,
        "status": HypothesisStatus.SUPPORTED,
        "computed": HypothesisStatus.PROPOSED,
        "reason": "seen by eye",
        "author_id": LOCAL_USER,
        "at": NOON,
    }
    return Decision(**{**defaults, **fields})


def an_artifact(experiment: Experiment, content: bytes = b"abc", **fields: Any) -> Artifact:
    defaults = {
        "id": new_id(),
        "project_id": experiment.project_id,
        "experiment_id": experiment.id,
        "name": "model/weights.bin",
        "digest": digest_of(content),
        "size": len(content),
        "created_at": NOON,
        "created_by": LOCAL_USER,
    }
    return Artifact(**{**defaults, **fields})


def a_file(path: str, content: bytes = b"abc", **fields: Any) -> SnapshotFile:
    return SnapshotFile(**{"path": path, "digest": digest_of(content), "size": len(content), **fields})


def a_snapshot(experiment: Experiment, *files: SnapshotFile, **fields: Any) -> Snapshot:
    defaults = {
        "id": new_id(),
        "project_id": experiment.project_id,
        "experiment_id": experiment.id,
        "files": files,
        "created_at": NOON,
        "created_by": LOCAL_USER,
    }
    return Snapshot(**{**defaults, **fields})
