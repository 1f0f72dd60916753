"""To whom the points of experiments belong, as it was a moment ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, UserId

__all__ = ["RecentScopes"]

Asked = tuple[UserId, ExperimentId]
_TRUSTED = timedelta(seconds=1)


class RecentScopes:
    """Scopes that were looked up within the last second.

    A run logs thousands of times a second, and a look-up costs more than its points. That an
    experiment belongs to a project never changes; who owns the project may, so a log may be judged
    by an owner of up to a second ago. What an actor may do on the scope is judged every time, and
    a deleted experiment is refused by the store. Each user has scopes of their own: what others log to
    must not be refused to them in less time than what is not there.
    """

    def __init__(self) -> None:
        self._scopes: dict[Asked, ProjectScope] = {}
        self._since: datetime | None = None

    def find(self, asked: Asked, now: datetime) -> ProjectScope | None:
        """The scope, if it was kept within the last second."""
        if self._since is None or not timedelta(0) <= now - self._since < _TRUSTED:
            self._scopes.clear()  # all at once, so that none is ever older
            self._since = now
        return self._scopes.get(asked)

    def keep(self, asked: Asked, scope: ProjectScope) -> None:
        """Remembers a scope that was looked up after the last :meth:`find`."""
        self._scopes[asked] = scope
