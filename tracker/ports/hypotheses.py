"""Where hypotheses are kept, with their links and decisions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from tracker.domain.hypotheses.facts import ExperimentRow
from tracker.domain.hypotheses.hypothesis import Decision, Hypothesis
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import HypothesisId, ProjectId, UserId

__all__ = ["HypothesisRepository"]


class HypothesisRepository(Protocol):
    """Hypotheses. Changes show to others once the unit of work is committed.

    An experiment or a saved query that is deleted is no longer linked, which counts no version up.
    """

    async def with_scope(
        self, hypothesis_id: HypothesisId, *, asker: UserId | None = None
    ) -> tuple[Hypothesis, ProjectScope]:
        """The hypothesis and who its project belongs to; in a writing unit nobody else can change it
        until the unit ends.

        Args:
            hypothesis_id: which.
            asker: in whose name; see :meth:`ProjectRepository.get`.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def list(self, project_id: ProjectId) -> tuple[Hypothesis, ...]:
        """A project's hypotheses, oldest first (ties by id)."""
        ...

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Hypothesis, ...]:
        """The newest of these projects (``None`` = of all), newest first (ties by id, descending)."""
        ...

    async def add(self, hypothesis: Hypothesis) -> None:
        """Keeps a new hypothesis with its links; it has no decision yet.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its project, its author, or something it is linked to does not exist.
        """
        ...

    async def save(self, hypothesis: Hypothesis) -> Hypothesis:
        """Keeps a changed hypothesis with its links, and gives it back with its version counted up. Its
        decision is as :meth:`decide` left it.

        Raises:
            NotFound: it was deleted, or something it is linked to does not exist.
            StaleVersion: it was saved by somebody else since it was loaded.
        """
        ...

    async def delete(self, hypothesis_id: HypothesisId) -> None:
        """Removes the hypothesis with its links and decisions.

        Raises:
            NotFound: there is none with this id.
        """
        ...

    async def decide(self, decision: Decision) -> None:
        """Adds to the log of decisions. The last one by (time, id) is the hypothesis's, unless it has no
        status.

        Raises:
            AlreadyExists: the id is taken.
            NotFound: its hypothesis or author does not exist.
        """
        ...

    async def decisions(self, hypothesis_id: HypothesisId) -> tuple[Decision, ...]:
        """All decisions about a hypothesis by (time, id); none for an unknown one."""
        ...

    async def rows(self, project_id: ProjectId) -> Sequence[ExperimentRow]:
        """What evidence needs of each experiment of the project, by id."""
        ...
