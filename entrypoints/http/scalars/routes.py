"""The scalars service's table of routes."""

from __future__ import annotations

from functools import partial
from typing import Any

from tracker.domain.identity.policy import Action

from ..api.health import Documentation
from ..media import JSON, MSGPACK
from ..route import Route, Scope
from ..schemas.answers import HealthOut
from ..schemas.scalars import LastLoggedIn, LastLoggedOut, LoggedOut, ScalarsBatchIn, ScalarsLogIn, ScalarsOut
from .contract import Contract
from .health import Alive
from .native import Native
from .schemas import (
    Answers,
    AppendIn,
    BranchIn,
    CurvesQuery,
    DeleteIn,
    EmptyIn,
    ExistsOut,
    ExperimentRow,
    MaintainIn,
    MessageOut,
    Nothing,
    OneIn,
    ProjectIn,
    ProjectOut,
    ProtocolOut,
    ReadIn,
    SampleIn,
    SinceIn,
    SummaryIn,
    TagsIn,
    TopIn,
)

__all__ = ["SERVICE_ROUTES"]

_LOG, _VIEW, _DELETE = Action.SCALARS_LOG, Action.SCALARS_VIEW, Action.PROJECT_DELETE
_KEY = Scope.SERVICE
_ONE = "/api/store/{project_id}"
_either = partial(Route, gives=(MSGPACK,), takes=(JSON, MSGPACK))
_packed = partial(Route, media=MSGPACK, takes=(MSGPACK,))

SERVICE_ROUTES: tuple[Route, ...] = (
    Route("GET", "/", Alive, "alive", None, Scope.PUBLIC, "Says that the process answers", HealthOut),
    Route(
        "GET", "/api/health", Alive, "alive", None, Scope.PUBLIC,
        "Says that the process answers", HealthOut,
    ),
    Route("GET", "/api/openapi.json", Documentation, "openapi", None, _KEY, "This document", dict[str, Any]),
    _either(
        "POST", "/api/projects", Contract, "create", _LOG, _KEY,
        "Creates a project", ProjectOut, ProjectIn,
    ),
    _either(
        "GET", "/api/projects/exists/{project_id}", Contract, "exists", _VIEW, _KEY,
        "Tells whether a project was created", ExistsOut,
    ),
    _either(
        "GET", "/api/projects/experiments/{project_id}", Contract, "experiments", _VIEW, _KEY,
        "Lists the experiments that have points", list[ExperimentRow],
    ),
    _either(
        "DELETE", "/api/projects/{project_id}", Contract, "delete", _DELETE, _KEY,
        "Deletes a project with its points", MessageOut,
    ),
    _either(
        "POST", "/api/scalars/log/{project_id}/{experiment_id}", Contract, "log", _LOG, _KEY,
        "Keeps the values of one step", LoggedOut, ScalarsLogIn,
    ),
    _either(
        "POST", "/api/scalars/log_batch/{project_id}/{experiment_id}", Contract, "log_batch", _LOG, _KEY,
        "Keeps the values of many steps, or none", LoggedOut, ScalarsBatchIn,
    ),
    _either(
        "GET", "/api/scalars/get/{project_id}", Contract, "get", _VIEW, _KEY,
        "Gives curves", ScalarsOut, query=CurvesQuery,
    ),
    _either(
        "POST", "/api/scalars/last_logged/{project_id}", Contract, "last_logged", _VIEW, _KEY,
        "Tells when experiments last got a point", LastLoggedOut, LastLoggedIn,
    ),
    _packed(
        "GET", "/api/store", Native, "protocol", _VIEW, _KEY,
        "Says that these routes are here", ProtocolOut,
    ),
    _packed("GET", "/api/store/check", Native, "check", _LOG, _KEY, "Says whether it would append", Nothing),
    _packed(
        "POST", "/api/store/maintain", Native, "maintain", _LOG, _KEY,
        "Makes reads faster and files smaller", Nothing, MaintainIn,
    ),
    _packed(
        "POST", f"{_ONE}/append", Native, "append", _LOG, _KEY,
        "Keeps batches of points", Answers, AppendIn,
    ),
    _packed("POST", f"{_ONE}/read", Native, "read", _VIEW, _KEY, "Gives one series", dict[str, Any], ReadIn),
    _packed(
        "POST", f"{_ONE}/sample", Native, "sample", _VIEW, _KEY,
        "Thins series", dict[str, Any], SampleIn,
    ),
    _packed(
        "POST", f"{_ONE}/summary", Native, "summary", _VIEW, _KEY,
        "Gives a row for each series", dict[str, Any], SummaryIn,
    ),
    _packed(
        "POST", f"{_ONE}/since", Native, "since", _VIEW, _KEY,
        "Gives what is new", dict[str, Any], SinceIn,
    ),
    _packed(
        "POST", f"{_ONE}/settle", Native, "settle", _LOG, _KEY,
        "Compresses an ended run", Nothing, OneIn,
    ),
    _packed(
        "POST", f"{_ONE}/stats", Native, "stats", _VIEW, _KEY,
        "Tells what it takes", dict[str, Any], EmptyIn,
    ),
    _packed(
        "POST", f"{_ONE}/verify", Native, "verify", _VIEW, _KEY,
        "Names what is not as it was written", dict[str, Any], EmptyIn,
    ),
    _packed(
        "POST", f"{_ONE}/top", Native, "top", _VIEW, _KEY,
        "Ranks the series of a name", dict[str, Any], TopIn,
    ),
    _packed("POST", f"{_ONE}/tags", Native, "tags", _VIEW, _KEY, "Gives the tags", dict[str, Any], TagsIn),
    _packed(
        "POST", f"{_ONE}/branch", Native, "branch", _LOG, _KEY,
        "Moves the points from a step on", Nothing, BranchIn,
    ),
    _packed(
        "POST", f"{_ONE}/delete", Native, "delete", _DELETE, _KEY,
        "Deletes an experiment's points, or all", Nothing, DeleteIn,
    ),
)  # fmt: skip
