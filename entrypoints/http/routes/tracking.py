"""Routes of health, projects, experiments, metrics and scalars."""

from __future__ import annotations

from typing import Any

from tracker.domain.identity.policy import Action

from ..api.branches import Branches
from ..api.experiments import Experiments
from ..api.health import Documentation, Health
from ..api.metrics import Metrics
from ..api.projects import Projects
from ..api.scalars import Scalars
from ..media import HTML, MSGPACK, OCTETS
from ..route import Route, Scope
from ..schemas.answers import DeletedOut, HealthOut, ReadyOut
from ..schemas.branches import BranchOut, Resume
from ..schemas.columns import AppendedOut, ColumnsIn
from ..schemas.experiments import (
    BulkCreate,
    ExperimentCreate,
    ExperimentEdit,
    ExperimentOut,
    NameQuery,
    RecentQuery,
    Reorder,
)
from ..schemas.hypotheses import HypothesisOut
from ..schemas.lineage import GraphOut, NameCheckOut
from ..schemas.metrics import MetricLog, MetricOut, ProjectMetricOut
from ..schemas.projects import ProjectCreate, ProjectEdit, ProjectOut, StatsOut
from ..schemas.scalar_queries import ExperimentScalarsQuery, ProjectScalarsQuery, SummaryQuery, TopQuery
from ..schemas.scalars import (
    LastLoggedIn,
    LastLoggedOut,
    LoggedOut,
    ScalarsBatchIn,
    ScalarsLogIn,
    ScalarsOut,
    SummaryOut,
)

__all__ = ["TRACKING"]

_PROJECT = "/api/projects/{project_id}"
_EXPERIMENT = "/api/experiments/{experiment_id}"

TRACKING: tuple[Route, ...] = (
    Route("GET", "/", Health, "alive", None, Scope.PUBLIC, "Says that the process answers", HealthOut),
    Route(
        "GET", "/api/health", Health, "alive", None, Scope.PUBLIC,
        "Says that the process answers", HealthOut,
    ),
    Route(
        "GET", "/api/health/ready", Health, "ready", None, Scope.PUBLIC,
        "Says whether all behind it answers", ReadyOut,
    ),
    Route(
        "GET", "/api/openapi.json", Documentation, "openapi", None, Scope.SIGNED_IN,
        "This document", dict[str, Any],
    ),
    Route(
        "GET", "/api/docs", Documentation, "page", None, Scope.SIGNED_IN,
        "The API for people", str, media=HTML,
    ),
    Route(
        "GET", "/api/projects", Projects, "index", Action.PROJECT_VIEW, Scope.PROJECT,
        "Lists projects", list[ProjectOut],
    ),
    Route(
        "POST", "/api/projects", Projects, "create", Action.PROJECTS_CREATE, Scope.INSTALLATION,
        "Creates a project", ProjectOut, ProjectCreate, status=201, present=True,
    ),
    Route(
        "GET", _PROJECT, Projects, "show", Action.PROJECT_VIEW, Scope.PROJECT,
        "Shows a project", ProjectOut,
    ),
    Route(
        "PATCH", _PROJECT, Projects, "edit", Action.PROJECT_EDIT, Scope.PROJECT,
        "Changes a project", ProjectOut, ProjectEdit,
    ),
    Route(
        "DELETE", _PROJECT, Projects, "delete", Action.PROJECT_DELETE, Scope.PROJECT,
        "Deletes a project with everything in it", DeletedOut,
    ),
    Route(
        "GET", f"{_PROJECT}/experiments", Projects, "experiments", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Lists a project's experiments in their order", list[ExperimentOut],
    ),
    Route(
        "GET", f"{_PROJECT}/graph", Projects, "graph", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Gives what came from what among a project's experiments", GraphOut,
    ),
    Route(
        "GET", f"{_PROJECT}/names/check", Projects, "check_name", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Tells what creating an experiment of a name would do", NameCheckOut, query=NameQuery,
    ),
    Route(
        "GET", f"{_PROJECT}/hypotheses", Projects, "hypotheses", Action.HYPOTHESES_VIEW, Scope.PROJECT,
        "Lists a project's hypotheses with their verdicts", list[HypothesisOut],
    ),
    Route(
        "GET", f"{_PROJECT}/metrics", Projects, "metrics", Action.METRICS_VIEW, Scope.PROJECT,
        "Gives the value that counts for each experiment and tracked metric", list[ProjectMetricOut],
    ),
    Route(
        "GET", "/api/dashboard/project/{project_id}/stats", Projects, "stats",
        Action.PROJECT_VIEW, Scope.PROJECT,
        "Counts what a project holds", StatsOut,
    ),
    Route(
        "POST", "/api/experiments", Experiments, "create", Action.EXPERIMENTS_CREATE, Scope.PROJECT,
        "Creates an experiment", ExperimentOut, ExperimentCreate, status=201,
    ),
    Route(
        "POST", "/api/experiments/bulk", Experiments, "create_many", Action.EXPERIMENTS_CREATE, Scope.PROJECT,
        "Creates experiments with their final values, all or none", list[ExperimentOut], BulkCreate,
        status=201,
    ),
    Route(
        "GET", "/api/experiments/recent", Experiments, "recent", Action.EXPERIMENTS_VIEW, Scope.PROJECT,
        "Lists the newest experiments", list[ExperimentOut], query=RecentQuery,
    ),
    Route(
        "POST", "/api/experiments/reorder", Experiments, "reorder", Action.EXPERIMENTS_EDIT, Scope.PROJECT,
        "Puts experiments first", list[ExperimentOut], Reorder,
    ),
    Route(
        "GET", _EXPERIMENT, Experiments, "show", Action.EXPERIMENTS_VIEW, Scope.EXPERIMENT,
        "Shows an experiment", ExperimentOut,
    ),
    Route(
        "PATCH", _EXPERIMENT, Experiments, "edit", Action.EXPERIMENTS_EDIT, Scope.EXPERIMENT,
        "Changes an experiment", ExperimentOut, ExperimentEdit,
    ),
    Route(
        "POST", f"{_EXPERIMENT}/heartbeat", Experiments, "beat", Action.SCALARS_LOG, Scope.EXPERIMENT,
        "Says that a run's process lives; one that then falls silent fails as lost", None, status=204,
    ),
    Route(
        "POST", f"{_EXPERIMENT}/resume", Branches, "resume", Action.EXPERIMENTS_EDIT, Scope.EXPERIMENT,
        "Runs an experiment again, at a step if one is given", ExperimentOut, Resume,
    ),
    Route(
        "GET", f"{_EXPERIMENT}/branches", Branches, "index", Action.EXPERIMENTS_VIEW, Scope.EXPERIMENT,
        "Lists what resumed runs of an experiment left behind", list[BranchOut],
    ),
    Route(
        "DELETE", _EXPERIMENT, Experiments, "delete", Action.EXPERIMENTS_DELETE, Scope.EXPERIMENT,
        "Deletes an experiment with its metrics and scalars", DeletedOut,
    ),
    Route(
        "GET", f"{_EXPERIMENT}/metrics", Metrics, "of_experiment", Action.METRICS_VIEW, Scope.EXPERIMENT,
        "Lists an experiment's final values", list[MetricOut],
    ),
    Route(
        "POST", "/api/metrics", Metrics, "log", Action.METRICS_CREATE, Scope.EXPERIMENT,
        "Keeps a final value; the same key again replaces it", MetricOut, MetricLog, status=201,
    ),
    Route(
        "POST", "/api/scalars/log/{experiment_id}", Scalars, "log", Action.SCALARS_LOG, Scope.EXPERIMENT,
        "Keeps the values of one step; durable when it answers", LoggedOut, ScalarsLogIn,
    ),
    Route(
        "POST", "/api/scalars/log_batch/{experiment_id}", Scalars, "log_batch",
        Action.SCALARS_LOG, Scope.EXPERIMENT,
        "Keeps the values of many steps, or none", LoggedOut, ScalarsBatchIn,
    ),
    Route(
        "POST", "/api/scalars/columns/{experiment_id}", Scalars, "append",
        Action.SCALARS_LOG, Scope.EXPERIMENT,
        "Keeps columns of points, all or none; durable when it answers", AppendedOut, ColumnsIn,
        takes=(MSGPACK,),
    ),
    Route(
        "GET", "/api/scalars/get/{experiment_id}", Scalars, "get", Action.SCALARS_VIEW, Scope.EXPERIMENT,
        "Gives an experiment's curves, or what is new", ScalarsOut, query=ExperimentScalarsQuery,
        gives=(OCTETS,),
    ),
    Route(
        "GET", "/api/scalars/get/project/{project_id}", Scalars, "get_project",
        Action.SCALARS_VIEW, Scope.PROJECT,
        "Gives the curves of a project's experiments", ScalarsOut, query=ProjectScalarsQuery,
        gives=(OCTETS,),
    ),
    Route(
        "GET", "/api/scalars/top/{project_id}", Scalars, "top", Action.SCALARS_VIEW, Scope.PROJECT,
        "Ranks the series of one name", SummaryOut, query=TopQuery,
    ),
    Route(
        "GET", "/api/scalars/summary/{project_id}", Scalars, "summary", Action.SCALARS_VIEW, Scope.PROJECT,
        "Gives count, extremes and last value of each series", SummaryOut, query=SummaryQuery,
    ),
    Route(
        "POST", "/api/scalars/last_logged/{project_id}", Scalars, "last_logged",
        Action.SCALARS_VIEW, Scope.PROJECT,
        "Tells when experiments last got a point", LastLoggedOut, LastLoggedIn,
    ),
)  # fmt: skip
