"""Hypotheses in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from tracker.adapters.memory.state import Current, State
from tracker.domain.errors import AlreadyExists, NotFound, StaleVersion
from tracker.domain.hypotheses.facts import ExperimentRow
from tracker.domain.hypotheses.hypothesis import Decision, Hypothesis
from tracker.domain.identity.policy import ProjectScope
from tracker.domain.ids import ExperimentId, HypothesisId, ProjectId, SavedQueryId, UserId

__all__ = ["MemoryHypothesisRepository", "forget_author", "forget_links", "forget_project"]


class MemoryHypothesisRepository:
    """Keeps the port :class:`tracker.ports.hypotheses.HypothesisRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def with_scope(
        self, hypothesis_id: HypothesisId, *, asker: UserId | None = None
    ) -> tuple[Hypothesis, ProjectScope]:
        """The hypothesis and who its project belongs to."""
        found = self._current.state.hypotheses.get(hypothesis_id)
        if found is None:
            raise NotFound.of("hypothesis", hypothesis_id)
        return self._shown(found), self._current.state.projects[found.project_id].scope

    async def list(self, project_id: ProjectId) -> tuple[Hypothesis, ...]:
        """A project's, oldest first."""
        found = (h for h in self._current.state.hypotheses.values() if h.project_id == project_id)
        return tuple(map(self._shown, sorted(found, key=_age)))

    async def recent(self, project_ids: Collection[ProjectId] | None, limit: int) -> tuple[Hypothesis, ...]:
        """The newest first."""
        all_of_them = self._current.state.hypotheses.values()
        found = [h for h in all_of_them if project_ids is None or h.project_id in project_ids]
        return tuple(map(self._shown, sorted(found, key=_age, reverse=True)[:limit]))

    async def add(self, hypothesis: Hypothesis) -> None:
        """Keeps a new one."""
        state = self._current.state
        if hypothesis.id in state.hypotheses:
            raise AlreadyExists(f"hypothesis {hypothesis.id} is there already")
        _require(state, hypothesis)
        state.hypotheses[hypothesis.id] = hypothesis.evolve(decision=None)

    async def save(self, hypothesis: Hypothesis) -> Hypothesis:
        """Keeps a changed one."""
        state = self._current.state
        present = state.hypotheses.get(hypothesis.id)
        if present is None:
            raise NotFound.of("hypothesis", hypothesis.id)
        if present.version != hypothesis.version:
            raise StaleVersion.of("hypothesis", hypothesis.id)
        _require(state, hypothesis)
        state.hypotheses[hypothesis.id] = hypothesis.evolve(decision=None, version=hypothesis.version + 1)
        return self._shown(state.hypotheses[hypothesis.id])

    async def delete(self, hypothesis_id: HypothesisId) -> None:
        """Removes it with its decisions."""
        state = self._current.state
        if state.hypotheses.pop(hypothesis_id, None) is None:
            raise NotFound.of("hypothesis", hypothesis_id)
        state.decisions = {k: d for k, d in state.decisions.items() if d.hypothesis_id != hypothesis_id}

    async def decide(self, decision: Decision) -> None:
        """Adds to the log."""
        state = self._current.state
        if decision.id in state.decisions:
            raise AlreadyExists(f"decision {decision.id} is there already")
        if decision.hypothesis_id not in state.hypotheses or not _is_known(state, decision.author_id):
            raise NotFound(f"decision {decision.id}: what it belongs to was not found")
        state.decisions[decision.id] = decision

    async def decisions(self, hypothesis_id: HypothesisId) -> tuple[Decision, ...]:
        """All about one, oldest first."""
        found = (d for d in self._current.state.decisions.values() if d.hypothesis_id == hypothesis_id)
        return tuple(sorted(found, key=lambda decision: (decision.at, decision.id)))

    async def rows(self, project_id: ProjectId) -> Sequence[ExperimentRow]:
        """What evidence needs of a project's experiments."""
        found = [e for e in self._current.state.experiments.values() if e.project_id == project_id]
        return [
            ExperimentRow(e.id, e.name, e.status, e.parent_id, e.features, e.params)
            for e in sorted(found, key=lambda experiment: experiment.id)
        ]

    def _shown(self, hypothesis: Hypothesis) -> Hypothesis:
        said = [d for d in self._current.state.decisions.values() if d.hypothesis_id == hypothesis.id]
        last = max(said, key=lambda decision: (decision.at, decision.id), default=None)
        return hypothesis.evolve(decision=None if last is None or last.status is None else last)


def forget_links(
    state: State, *, experiments: Collection[ExperimentId] = (), queries: Collection[SavedQueryId] = ()
) -> None:
    """Takes what is deleted out of all links."""
    for key, one in state.hypotheses.items():
        state.hypotheses[key] = one.evolve(
            experiments=tuple(each for each in one.experiments if each not in experiments),
            queries=tuple(each for each in one.queries if each not in queries),
        )


def forget_project(state: State, project_id: ProjectId) -> None:
    """Removes the hypotheses of a project."""
    gone = {key for key, one in state.hypotheses.items() if one.project_id == project_id}
    state.hypotheses = {key: one for key, one in state.hypotheses.items() if key not in gone}
    state.decisions = {key: one for key, one in state.decisions.items() if one.hypothesis_id not in gone}


def forget_author(state: State, user_id: UserId) -> None:
    """Takes an account's name off what it wrote."""
    for key, one in state.hypotheses.items():
        if one.author_id == user_id:
            state.hypotheses[key] = one.evolve(author_id=None)
    for number, said in state.decisions.items():
        if said.author_id == user_id:
            state.decisions[number] = said.evolve(author_id=None)


def _require(state: State, hypothesis: Hypothesis) -> None:
    known = (
        hypothesis.project_id in state.projects,
        _is_known(state, hypothesis.author_id),
        all(each in state.experiments for each in hypothesis.experiments),
        all(each in state.saved_queries for each in hypothesis.queries),
    )
    if not all(known):
        raise NotFound(f"hypothesis {hypothesis.id}: what it belongs to was not found")


def _is_known(state: State, user_id: UserId | None) -> bool:
    return user_id is None or user_id in state.users


def _age(hypothesis: Hypothesis) -> tuple[datetime, UUID]:
    return (hypothesis.created_at, hypothesis.id)
