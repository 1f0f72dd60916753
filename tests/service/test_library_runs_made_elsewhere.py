"""Runs that were made elsewhere have their own times, in process and against a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest

import tracker
from tests.e2e.conftest import LiveServer, databases, server  # noqa: F401  (fixtures)
from tests.factories import new_id
from tracker.domain.errors import Conflict

BEGAN = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ENDED = BEGAN + timedelta(days=2)


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.slow)])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tracker.Tracker]:
    where = {"data": str(tmp_path)}
    if request.param == "server":
        live: LiveServer = request.getfixturevalue("server")
        where = {"url": live.url}
    with tracker.open(**where) as opened:
        yield opened


@pytest.fixture
def project(library: tracker.Tracker) -> Any:
    return library.projects.create(f"project {new_id()}")


def test_times_that_are_given_are_kept(library: tracker.Tracker, project: Any) -> None:
    elsewhere = {"started_at": BEGAN.astimezone(timezone(timedelta(hours=5))), "completed_at": ENDED}
    made = library.experiments.create(project.id, name="1_a", status="complete", **elsewhere)
    assert (made.started_at, made.completed_at) == (BEGAN, ENDED)
    assert made.created_at > ENDED
    kept = library.experiments.get(made.id)
    assert (kept.started_at, kept.completed_at) == (BEGAN, ENDED)
    (found,) = library.experiments.search(project.id, "started < '2020-02-01'")
    assert found.id == made.id


def test_times_that_are_not_given_are_now(library: tracker.Tracker, project: Any) -> None:
    made = library.experiments.create(project.id, name="1_a", status="running", started_at=None)
    assert made.started_at == made.created_at and made.completed_at is None


@pytest.mark.parametrize(
    ("status", "times", "said"),
    [
        ("planned", {"started_at": BEGAN}, "started_at: a planned experiment has not started"),
        ("running", {"completed_at": ENDED}, "completed_at: an experiment that is running has not ended"),
        ("failed", {"started_at": ENDED, "completed_at": BEGAN}, "cannot end before it started"),
    ],
)
def test_times_that_cannot_be_are_refused(
    library: tracker.Tracker, project: Any, status, times, said
) -> None:
    with pytest.raises(Conflict, match=said):
        library.experiments.create(project.id, name="1_a", status=status, **times)
    assert library.experiments.list(project.id) == ()


def test_times_stay(library: tracker.Tracker, project: Any) -> None:
    made = library.experiments.create(project.id, name="1_a", status="complete", completed_at=ENDED)
    with pytest.raises(tracker.Invalid):
        library.experiments.edit(made.id, completed_at=BEGAN)
    assert library.experiments.get(made.id).completed_at == ENDED


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_edges_of_the_calendar_are_no_error_of_the_server(server, at: str) -> None:  # noqa: F811
    with httpx.Client(base_url=server.url) as client:
        project = client.post("/api/projects", json={"name": f"project {new_id()}"}).json()
        body = {
            "projectId": project["id"],
            "name": "1_a",
            "status": "complete",
            "startedAt": at,
            "completedAt": at,
        }
        answer = client.post("/api/experiments", json=body)
    assert answer.status_code in (200, 201), answer.text
