"""The one table of routes: the app, the OpenAPI document and the reference page are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from tracker.domain.identity.policy import Action

from .api.experiments import Experiments
from .api.health import Documentation, Health
from .api.metrics import Metrics
from .api.projects import Projects
from .api.scalars import Scalars
from .media import HTML, JSON, MSGPACK, OCTETS
from .schemas.answers import DeletedOut, HealthOut, NoQuery, ReadyOut
from .schemas.columns import AppendedOut, ColumnsIn
from .schemas.experiments import ExperimentCreate, ExperimentEdit, ExperimentOut, RecentQuery, Reorder
from .schemas.metrics import MetricLog, MetricOut, ProjectMetricOut
from .schemas.projects import ProjectCreate, ProjectEdit, ProjectOut, StatsOut
from .schemas.scalar_queries import ExperimentScalarsQuery, ProjectScalarsQuery, SummaryQuery, TopQuery
from .schemas.scalars import (
    LastLoggedIn,
    LastLoggedOut,
    LoggedOut,
    ScalarsBatchIn,
    ScalarsLogIn,
    ScalarsOut,
    SummaryOut,
)

__all__ = ["ROUTES", "Route"]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    Attributes:
        method: of HTTP.
        path: template; ids in braces.
        resource: the class that answers.
        responder: its method.
        action: what the actor needs to be allowed; ``None`` for what everybody may read.
        summary: one line for the documentation.
        answer: the type of a successful answer.
        body: schema of the request's body, if it takes one.
        query: schema of the query parameters.
        status: of a successful answer.
        present: whether it may answer 200 with what was there before.
        media: media type of the answer.
        gives: other media types that ``Accept`` may choose.
        takes: media types of the body.
    """

    method: str
    path: str
    resource: type
    responder: str
    action: Action | None
    summary: str
    answer: Any
    body: type[BaseModel] | None = None
    query: type[BaseModel] = NoQuery
    status: int = 200
    present: bool = False
    media: str = JSON
    gives: tuple[str, ...] = ()
    takes: tuple[str, ...] = (JSON,)


_PROJECT = "/api/projects/{project_id}"
_EXPERIMENT = "/api/experiments/{experiment_id}"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/", Health, "alive", None, "Says that the process answers", HealthOut),
    Route("GET", "/api/health", Health, "alive", None, "Says that the process answers", HealthOut),
    Route("GET", "/api/health/ready", Health, "ready", None, "Says whether all behind it answers", ReadyOut),
    Route("GET", "/api/openapi.json", Documentation, "openapi", None, "This document", dict[str, Any]),
    Route("GET", "/api/docs", Documentation, "page", None, "The API for people", str, media=HTML),
    Route("GET", "/api/projects", Projects, "index", Action.PROJECT_VIEW, "Lists projects", list[ProjectOut]),
    Route(
        "POST", "/api/projects", Projects, "create", Action.PROJECTS_CREATE, "Creates a project",
        ProjectOut, ProjectCreate, status=201, present=True,
    ),
    Route("GET", _PROJECT, Projects, "show", Action.PROJECT_VIEW, "Shows a project", ProjectOut),
    Route(
        "PATCH", _PROJECT, Projects, "edit", Action.PROJECT_EDIT, "Changes a project", ProjectOut, ProjectEdit
    ),
    Route(
        "DELETE", _PROJECT, Projects, "delete", Action.PROJECT_DELETE,
        "Deletes a project with everything in it", DeletedOut,
    ),
    Route(
        "GET", f"{_PROJECT}/experiments", Projects, "experiments", Action.EXPERIMENTS_VIEW,
        "Lists a project's experiments in their order", list[ExperimentOut],
    ),
    Route(
        "GET", f"{_PROJECT}/hypotheses", Projects, "hypotheses", Action.PROJECT_VIEW,
        "Lists a project's hypotheses", list[dict[str, Any]],
    ),
    Route(
        "GET", f"{_PROJECT}/metrics", Projects, "metrics", Action.METRICS_VIEW,
        "Gives the value that counts for each experiment and tracked metric", list[ProjectMetricOut],
    ),
    Route(
        "GET", "/api/dashboard/project/{project_id}/stats", Projects, "stats", Action.PROJECT_VIEW,
        "Counts what a project holds", StatsOut,
    ),
    Route(
        "POST", "/api/experiments", Experiments, "create", Action.EXPERIMENTS_CREATE,
        "Creates an experiment", ExperimentOut, ExperimentCreate, status=201,
    ),
    Route(
        "GET", "/api/experiments/recent", Experiments, "recent", Action.EXPERIMENTS_VIEW,
        "Lists the newest experiments", list[ExperimentOut], query=RecentQuery,
    ),
    Route(
        "POST", "/api/experiments/reorder", Experiments, "reorder", Action.EXPERIMENTS_EDIT,
        "Puts experiments first", list[ExperimentOut], Reorder,
    ),
    Route(
        "GET", _EXPERIMENT, Experiments, "show", Action.EXPERIMENTS_VIEW, "Shows an experiment", ExperimentOut
    ),
    Route(
        "PATCH", _EXPERIMENT, Experiments, "edit", Action.EXPERIMENTS_EDIT, "Changes an experiment",
        ExperimentOut, ExperimentEdit,
    ),
    Route(
        "DELETE", _EXPERIMENT, Experiments, "delete", Action.EXPERIMENTS_DELETE,
        "Deletes an experiment with its metrics and scalars", DeletedOut,
    ),
    Route(
        "GET", f"{_EXPERIMENT}/metrics", Metrics, "of_experiment", Action.METRICS_VIEW,
        "Lists an experiment's final values", list[MetricOut],
    ),
    Route(
        "POST", "/api/metrics", Metrics, "log", Action.METRICS_LOG,
        "Keeps a final value; the same key again replaces it", MetricOut, MetricLog, status=201,
    ),
    Route(
        "POST", "/api/scalars/log/{experiment_id}", Scalars, "log", Action.SCALARS_LOG,
        "Keeps the values of one step; durable when it answers", LoggedOut, ScalarsLogIn,
    ),
    Route(
        "POST", "/api/scalars/log_batch/{experiment_id}", Scalars, "log_batch", Action.SCALARS_LOG,
        "Keeps the values of many steps, or none", LoggedOut, ScalarsBatchIn,
    ),
    Route(
        "POST", "/api/scalars/columns/{experiment_id}", Scalars, "append", Action.SCALARS_LOG,
        "Keeps columns of points, all or none; durable when it answers", AppendedOut, ColumnsIn,
        takes=(MSGPACK,),
    ),
    Route(
        "GET", "/api/scalars/get/{experiment_id}", Scalars, "get", Action.SCALARS_VIEW,
        "Gives an experiment's curves, or what is new", ScalarsOut, query=ExperimentScalarsQuery,
        gives=(OCTETS,),
    ),
    Route(
        "GET", "/api/scalars/get/project/{project_id}", Scalars, "get_project", Action.SCALARS_VIEW,
        "Gives the curves of a project's experiments", ScalarsOut, query=ProjectScalarsQuery,
        gives=(OCTETS,),
    ),
    Route(
        "GET", "/api/scalars/top/{project_id}", Scalars, "top", Action.SCALARS_VIEW,
        "Ranks the series of one name", SummaryOut, query=TopQuery,
    ),
    Route(
        "GET", "/api/scalars/summary/{project_id}", Scalars, "summary", Action.SCALARS_VIEW,
        "Gives count, extremes and last value of each series", SummaryOut, query=SummaryQuery,
    ),
    Route(
        "POST", "/api/scalars/last_logged/{project_id}", Scalars, "last_logged", Action.SCALARS_VIEW,
        "Tells when experiments last got a point", LastLoggedOut, LastLoggedIn,
    ),
)  # fmt: skip
