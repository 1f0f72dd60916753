"""What goes, or forgets somebody, when something else is deleted: as foreign keys have it."""

from __future__ import annotations

from collections.abc import Collection

from tracker.adapters.memory.state import State
from tracker.domain.errors import NotFound
from tracker.domain.ids import EvaluationId, ExperimentId, JobId, ProjectId, UserId

__all__ = [
    "forget_evaluations", "forget_jobs", "forget_of_project", "forget_person", "forget_tracked",
    "require_project", "require_user",
]  # fmt: skip


def require_project(state: State, kind: str, key: object, project_id: ProjectId) -> None:
    """Refuses what belongs to no project."""
    if project_id not in state.projects:
        raise NotFound(f"{kind} {key}: what it belongs to was not found")


def require_user(state: State, kind: str, key: object, user_id: UserId | None) -> None:
    """Refuses what is of somebody who is not there."""
    if user_id is not None and user_id not in state.users:
        raise NotFound(f"{kind} {key}: what it belongs to was not found")


def forget_jobs(state: State, gone: Collection[JobId]) -> None:
    """Removes jobs with what they left."""
    state.jobs = {key: job for key, job in state.jobs.items() if key not in gone}
    state.job_rows = {key: rows for key, rows in state.job_rows.items() if key not in gone}
    state.job_files = {key: file for key, file in state.job_files.items() if key[0] not in gone}
    state.job_passes = {key: each for key, each in state.job_passes.items() if key[0] not in gone}


def forget_evaluations(state: State, gone: Collection[EvaluationId]) -> None:
    """Removes evaluations with their workflows."""
    state.evaluations = {key: each for key, each in state.evaluations.items() if key not in gone}
    state.workflows = {key: flow for key, flow in state.workflows.items() if flow.evaluation_id not in gone}


def forget_of_project(state: State, project_id: ProjectId) -> None:
    """Removes all that a project evaluated."""
    forget_jobs(state, {key for key, job in state.jobs.items() if job.project_id == project_id})
    evaluations = {key for key, each in state.evaluations.items() if each.project_id == project_id}
    forget_evaluations(state, evaluations)
    state.workflows = {key: flow for key, flow in state.workflows.items() if flow.project_id != project_id}
    datasets = {key for key, each in state.datasets.items() if each.project_id == project_id}
    state.datasets = {key: each for key, each in state.datasets.items() if key not in datasets}
    state.answers.pop(project_id, None)


def forget_tracked(state: State, experiments: Collection[ExperimentId]) -> None:
    """Takes deleted experiments off the workflows that they recorded."""
    for key, flow in state.workflows.items():
        if flow.experiment_id in experiments:
            state.workflows[key] = flow.evolve(experiment_id=None)


def forget_person(state: State, user_id: UserId) -> None:
    """Removes what is an account's own and takes its name off the rest."""
    for key, dataset in state.datasets.items():
        if dataset.created_by == user_id:
            state.datasets[key] = dataset.evolve(created_by=None)
    for number, job in state.jobs.items():
        if job.created_by == user_id:
            state.jobs[number] = job.evolve(created_by=None)
    for name, evaluation in state.evaluations.items():
        if evaluation.created_by == user_id:
            state.evaluations[name] = evaluation.evolve(created_by=None)
    for place, flow in state.workflows.items():
        if flow.created_by == user_id:
            state.workflows[place] = flow.evolve(created_by=None)
    state.job_passes = {key: each for key, each in state.job_passes.items() if each.sent_by != user_id}
    state.evaluation_secrets = {
        key: (secret.evolve(updated_by=None) if secret.updated_by == user_id else secret, sealed)
        for key, (secret, sealed) in state.evaluation_secrets.items()
        if key[0] != user_id
    }
