"""What came of the rows of jobs, and remembered answers, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import sqlalchemy as sa

from tracker.adapters.sql.evaluation.packing import outcome_of, packed_outcome
from tracker.adapters.sql.evaluation_tables import answers, job_rows, job_tallies
from tracker.adapters.sql.failures import inserting
from tracker.adapters.sql.parting import in_parts
from tracker.adapters.sql.session import Session
from tracker.adapters.sql.upserting import Insert, insert_into
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome, kept
from tracker.domain.ids import JobId, ProjectId

__all__ = ["SqlAnswerRepository", "SqlRowRepository"]

_LAST = 2**31 - 1  # number of a row


class SqlRowRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.RowRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def keep(self, job_id: JobId, outcomes: Sequence[RowOutcome]) -> int:
        """Keeps some."""
        merged: dict[int, RowOutcome] = {}
        for outcome in outcomes:  # one statement may not touch a row twice
            merged[outcome.number] = kept(merged.get(outcome.number), outcome)
        rows = [
            {
                "job_id": job_id,
                "number": number,
                "is_answered": merged[number].is_answered,
                "outcome": packed_outcome(merged[number]),
            }
            for number in sorted(merged)
        ]
        with inserting("rows of job", job_id):
            written = await self._session.rows(_keeping(self._session.dialect), rows) if rows else ()
            new = sum(row.is_answered for row in written)
            counting = _counting(self._session.dialect)
            (tally,) = await self._session.rows(counting, [{"job_id": job_id, "answered": new}])
        return int(tally.answered)

    async def answered(self, job_id: JobId) -> frozenset[int]:
        """The numbers of those with an answer."""
        statement = sa.select(job_rows.c.number).where(job_rows.c.job_id == job_id, job_rows.c.is_answered)
        return frozenset(number for (number,) in await self._session.rows(statement))

    async def some(self, job_id: JobId, *, after: int = 0, limit: int = 1000) -> tuple[RowOutcome, ...]:
        """Those that follow, by number."""
        statement = (
            sa.select(job_rows.c.outcome)
            .where(job_rows.c.job_id == job_id, job_rows.c.number > min(after, _LAST))
            .order_by(job_rows.c.number)
            .limit(limit)
        )
        return tuple(outcome_of(packed) for (packed,) in await self._session.rows(statement))


class SqlAnswerRepository:
    """Keeps the port :class:`tracker.ports.evaluation.jobs.AnswerRepository`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, project_id: ProjectId, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Those that are known."""
        found: dict[str, RowOutcome] = {}
        for some in in_parts(keys):
            statement = sa.select(answers.c.key, answers.c.outcome).where(
                answers.c.project_id == project_id, answers.c.key.in_(some)
            )
            rows = await self._session.rows(statement)
            found |= {row.key: outcome_of(row.outcome) for row in rows}
        return found

    async def keep(self, project_id: ProjectId, answers: Mapping[str, RowOutcome]) -> None:
        """Keeps some."""
        # In the order of keys, so that two who keep the same ones cannot wait for each other.
        rows = [
            {"project_id": project_id, "key": key, "outcome": packed_outcome(answers[key])}
            for key in sorted(answers)
        ]
        if rows:
            with inserting("answers of project", project_id):
                await self._session.run(_remembering(self._session.dialect), rows)


# A worker keeps rows hundreds of times a second, so its statements are made but once.


@cache
def _keeping(dialect: str) -> sa.Executable:
    """What `kept` says, in the database: an answer stays, whoever brings another at the same time.

    It gives the rows that it wrote, each of which was without an answer before.
    """
    insert = insert_into(job_rows, dialect)
    return insert.on_conflict_do_update(
        index_elements=[job_rows.c.job_id, job_rows.c.number],
        set_={name: insert.excluded[name] for name in ("is_answered", "outcome")},
        where=~job_rows.c.is_answered,
    ).returning(job_rows.c.is_answered)


@cache
def _counting(dialect: str) -> sa.Executable:
    """Adds to the tally of a job, and gives it."""
    insert = insert_into(job_tallies, dialect)
    return insert.on_conflict_do_update(
        index_elements=[job_tallies.c.job_id],
        set_={"answered": job_tallies.c.answered + insert.excluded.answered},
    ).returning(job_tallies.c.answered)


@cache
def _remembering(dialect: str) -> Insert:
    """The first answer of a key stays."""
    return insert_into(answers, dialect).on_conflict_do_nothing(
        index_elements=[answers.c.project_id, answers.c.key]
    )
