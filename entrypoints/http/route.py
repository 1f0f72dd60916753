"""What the table of routes consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from tracker.domain.identity.policy import Action

from .media import JSON
from .schemas.answers import NoQuery

__all__ = ["Route", "Scope"]


class Scope(StrEnum):
    """On what the action of a route is checked."""

    PUBLIC = "public"
    """Nothing: strangers are answered too."""
    SIGNED_IN = "signed_in"
    """Nothing: whoever has credentials is answered."""
    SELF = "self"
    """The caller's own account and tokens."""
    INSTALLATION = "installation"
    """The installation as a whole."""
    ADMINISTRATOR = "administrator"
    """The caller must be a superuser, in person."""
    PROJECT = "project"
    """The project in the path, query or body, or each project that is listed."""
    EXPERIMENT = "experiment"
    """The project of the experiment in the path or body."""
    QUERY = "query"
    """The project of the saved query in the path."""
    HYPOTHESIS = "hypothesis"
    """The project of the hypothesis in the path."""
    ARTIFACT = "artifact"
    """The project of the artifact in the path."""
    SNAPSHOT = "snapshot"
    """The project of the snapshot in the path."""
    BLOB = "blob"
    """Any project that refers to the blob in the query."""
    TEAM = "team"
    """The team in the path, query or body, or each team that is listed."""
    PLACE = "place"
    """The project or the team in the query or body."""
    SERVICE = "service"
    """The shared key of the scalars service."""
    DATASET = "dataset"
    """The project of the dataset in the path or body."""
    JOB = "job"
    """The project of the job in the path."""
    EVALUATION = "evaluation"
    """The project of the evaluation in the path or body."""
    WORKFLOW = "workflow"
    """The project of the workflow in the path or query."""
    LINK = "link"
    """The signature of the link in the path, which lasts an hour; no other credentials are asked for."""
    DESK = "desk"
    """The pass of the one attempt at a job in the path; no other credentials are asked for."""
    OWNER = "owner"
    """The caller must own the project or team, or be a superuser."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    Attributes:
        method: of HTTP.
        path: template; ids in braces.
        resource: the class that answers.
        responder: its method.
        action: what the actor needs to be allowed; an API token needs it among its scopes.
        scope: on what that is checked.
        summary: one line for the documentation.
        answer: the type of a successful answer; ``None`` = no content.
        body: schema of the request's body, if it takes one.
        query: schema of the query parameters.
        status: of a successful answer.
        present: whether it may answer 200 with what was there before.
        media: media type of the answer.
        gives: other media types that ``Accept`` may choose.
        takes: media types of the body.
        uploads: whether the body is a form with a file, which the resource reads as it comes.
        form: schema of such a form with other fields beside its file, for the documentation.
        streams: whether the body is bytes, which the resource reads as they come.
        words: names in the path that are text, and no ids; the last may hold slashes.
        largest: bytes of the body, in place of the setting.
        otherwise: another status of a successful answer, which then has no content.
        ranges: whether the caller may ask for some of the bytes, or have them only if they changed.
        shows_credentials: whether the resource is given the bearer token and cookies.
        first: a method of the resource that looks at these before the body is read, of which there may be
            much; empty = none.
    """

    method: str
    path: str
    resource: type
    responder: str
    action: Action | None
    scope: Scope
    summary: str
    answer: Any
    body: type[BaseModel] | None = None
    query: type[BaseModel] = NoQuery
    status: int = 200
    present: bool = False
    media: str = JSON
    gives: tuple[str, ...] = ()
    takes: tuple[str, ...] = (JSON,)
    uploads: bool = False
    form: type[BaseModel] | None = None
    streams: bool = False
    words: tuple[str, ...] = ()
    largest: int | None = None
    otherwise: int | None = None
    ranges: bool = False
    shows_credentials: bool = False
    first: str = ""
