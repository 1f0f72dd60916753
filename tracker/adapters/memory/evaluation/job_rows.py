"""What came of the rows of jobs, and remembered answers, in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tracker.adapters.memory.evaluation.forgetting import require_project
from tracker.adapters.memory.state import Current
from tracker.domain.errors import NotFound
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome, kept
from tracker.domain.ids import JobId, ProjectId

__all__ = ["MemoryAnswerRepository", "MemoryRowRepository"]


class MemoryRowRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.RowRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def keep(self, job_id: JobId, outcomes: Sequence[RowOutcome]) -> int:
        """Keeps some."""
        state = self._current.state
        if job_id not in state.jobs:
            raise NotFound.of("job", job_id)
        rows = dict(self._rows(job_id))
        for new in outcomes:
            rows[new.number] = kept(rows.get(new.number), new)
        state.job_rows[job_id] = rows
        return sum(row.is_answered for row in rows.values())

    async def answered(self, job_id: JobId) -> frozenset[int]:
        """The numbers of those with an answer."""
        return frozenset(number for number, row in self._rows(job_id).items() if row.is_answered)

    async def some(self, job_id: JobId, *, after: int = 0, limit: int = 1000) -> tuple[RowOutcome, ...]:
        """Those that follow, by number."""
        rows = self._rows(job_id)
        return tuple(rows[number] for number in sorted(number for number in rows if number > after)[:limit])

    def _rows(self, job_id: JobId) -> Mapping[int, RowOutcome]:
        return self._current.state.job_rows.get(job_id, {})


class MemoryAnswerRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.AnswerRepository`."""

    def __init__(self, current: Current) -> None:
        self._current = current

    async def find(self, project_id: ProjectId, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Those that are known."""
        answers = self._current.state.answers.get(project_id, {})
        return {key: answers[key] for key in keys if key in answers}

    async def keep(self, project_id: ProjectId, answers: Mapping[str, RowOutcome]) -> None:
        """Keeps some."""
        state = self._current.state
        if answers:
            require_project(state, "answers of project", project_id, project_id)
            state.answers[project_id] = {**answers, **state.answers.get(project_id, {})}
