"""Answers that belong to no one resource."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from .wire import Closed

__all__ = ["DeletedOut", "HealthOut", "NoQuery", "ProblemOut", "ReadyOut"]


class NoQuery(Closed):
    """Takes no query parameters."""


class HealthOut(TypedDict):
    """The process answers."""

    status: Literal["ok"]
    version: str


class ReadyOut(TypedDict):
    """Everything behind the process answers."""

    status: Literal["ok"]
    ready: list[str]


class DeletedOut(TypedDict):
    """It is gone."""

    success: bool


class FieldProblemOut(TypedDict):
    """One wrong field."""

    loc: list[str | int]
    msg: str
    type: str


class ProblemOut(TypedDict):
    """Why the request was refused."""

    detail: str
    code: str
    errors: NotRequired[list[FieldProblemOut]]
    column: NotRequired[int]
    requestId: NotRequired[str]
