"""How long a log may be judged by the owner of a moment ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, ProjectId, UserId
from tracker.domain.scalars.recent_scopes import RecentScopes

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADA, BOB = UserId(UUID(int=5)), UserId(UUID(int=6))
RUN, OTHER = (ADA, ExperimentId(UUID(int=1))), (ADA, ExperimentId(UUID(int=2)))
SCOPE = ProjectScope(project_id=ProjectId(UUID(int=3)), owner_id=UserId(UUID(int=4)))


def after(milliseconds: int) -> datetime:
    return NOON + timedelta(milliseconds=milliseconds)


def test_scope_is_known_for_less_than_a_second() -> None:
    scopes = RecentScopes()
    assert scopes.find(RUN, NOON) is None
    scopes.keep(RUN, SCOPE)
    assert scopes.find(RUN, after(999)) == SCOPE
    assert scopes.find(OTHER, after(999)) is None
    assert scopes.find(RUN, after(1000)) is None


def test_scope_kept_late_is_forgotten_with_the_others() -> None:
    scopes = RecentScopes()
    scopes.find(RUN, NOON)
    scopes.find(OTHER, after(900))
    scopes.keep(OTHER, SCOPE)
    assert scopes.find(OTHER, after(1000)) is None


def test_clock_that_goes_back_trusts_nothing() -> None:
    scopes = RecentScopes()
    scopes.find(RUN, NOON)
    scopes.keep(RUN, SCOPE)
    assert scopes.find(RUN, after(-1)) is None


def test_scope_is_known_only_to_who_asked_for_it() -> None:
    scopes = RecentScopes()
    scopes.find(RUN, NOON)
    scopes.keep(RUN, SCOPE)
    assert scopes.find((BOB, RUN[1]), NOON) is None
