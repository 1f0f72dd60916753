"""Use cases of workers: what they fetch, and what they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tracker.domain.artifacts.blobs.service import Blob
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.ids import JobId
from tracker.ports.evaluation.desk import Admission

__all__ = ["Admitted", "DeskService", "DirectDesk", "Shown"]


class Shown(NamedTuple):
    """What a worker shows at each call.

    Attributes:
        job_id: the job it was sent for.
        attempt: at it.
        token: the pass that it got for its handle.
    """

    job_id: JobId
    attempt: int
    token: str


class Admitted(NamedTuple):
    """What a worker gets for its handle.

    Attributes:
        token: its pass, to be shown from now on.
        admission: its work.
    """

    token: str
    admission: Admission


class DeskService:
    """The installation's side of the port :class:`tracker.ports.evaluation.desk.Desk`, whose contract says
    what each method does and raises; all may raise ``Unauthenticated`` for a pass that is not right, and
    ``Conflict`` for an attempt that has lost its job."""

    async def admit(self, job_id: JobId, attempt: int, handle: str) -> Admitted:
        """Takes up an errand, once.

        Raises:
            Unauthenticated: the handle is not this attempt's, or was used.
            Conflict: the attempt has lost its job, or the job is to stop.
            NotFound: the job was deleted.
        """
        raise NotImplementedError

    async def begin(self, shown: Shown, rows_total: int | None) -> datetime:
        """Notes that the attempt runs; until when its lease is believed."""
        raise NotImplementedError

    async def heartbeat(self, shown: Shown) -> datetime:
        """A sign of life; until when its lease is believed."""
        raise NotImplementedError

    async def dataset(self, shown: Shown) -> Blob:
        """The file of the dataset."""
        raise NotImplementedError

    async def answered(self, shown: Shown) -> frozenset[int]:
        """The numbers of the rows that need not be sent again."""
        raise NotImplementedError

    async def remembered(self, shown: Shown, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Answers that are known of earlier, by cache key."""
        raise NotImplementedError

    async def keep(self, shown: Shown, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> datetime:
        """Keeps what came of rows, even those of an attempt that has lost its job, which is then told."""
        raise NotImplementedError

    async def outcomes(self, shown: Shown, *, after: int = 0, limit: int = 1000) -> tuple[RowOutcome, ...]:
        """Some of all that is known of the job's rows, by number."""
        raise NotImplementedError

    async def leave(self, shown: Shown, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Keeps a file of the job: ``result`` or ``dataset``.

        Raises:
            Invalid: another name, or rows that break a rule.
            TooLarge: it is larger than the limits allow.
        """
        raise NotImplementedError


class DirectDesk:
    """The port :class:`tracker.ports.evaluation.desk.Desk` in the installation's own process, or in one that
    uses the same database.

    Args:
        service: that answers.
        job_id: for which the worker was sent.
        attempt: at it.
    """

    def __init__(self, service: DeskService, job_id: JobId, attempt: int) -> None:
        self._service = service
        self._job_id = job_id
        self._attempt = attempt
