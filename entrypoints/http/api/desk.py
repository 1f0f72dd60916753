"""The desk, where workers on other machines fetch their work and leave what came of it."""

from __future__ import annotations

from typing import Any

from tracker.desk_wire import Admitted, Answers, Keeping, Numbers, Outcomes, Until, read
from tracker.domain.errors import Invalid, Unauthenticated
from tracker.domain.evaluation.jobs.desks.service import DeskService, Shown
from tracker.domain.frozen import Frozen
from tracker.domain.ids import JobId

from ..exchange import Call
from ..media import encoded
from ..schemas.answers import NoQuery
from ..schemas.desk import AdmitIn, BeginIn, KeepIn, RememberedIn, RowsQuery
from ..streaming import Streamed

__all__ = ["Desks"]

_MOST_ATTEMPTS = 2**31


class Desks:
    """``/api/v1/desk/{job_id}/{attempt}``."""

    def __init__(self, desk: DeskService) -> None:
        self._desk = desk

    async def admit(self, call: Call[AdmitIn, NoQuery]) -> bytes:
        """Gives a pass and work for a handle, once."""
        call.headers["Cache-Control"] = "no-store"
        found = await self._desk.admit(_job(call), _attempt(call), call.body.handle)
        return _told(Admitted.of(found.token, found.admission))

    async def begin(self, call: Call[BeginIn, NoQuery]) -> bytes:
        """The attempt runs."""
        return _told(Until.at(await self._desk.begin(_shown(call), call.body.rows_total)))

    async def heartbeat(self, call: Call[None, NoQuery]) -> bytes:
        """A sign of life."""
        return _told(Until.at(await self._desk.heartbeat(_shown(call))))

    async def dataset(self, call: Call[None, NoQuery]) -> Streamed:
        """The bytes of the dataset."""
        blob = await self._desk.dataset(_shown(call))
        return Streamed(blob.read(), blob.size)

    async def answered(self, call: Call[None, NoQuery]) -> bytes:
        """Rows that need not be sent again."""
        return _told(Numbers(rows=tuple(sorted(await self._desk.answered(_shown(call))))))

    async def remembered(self, call: Call[RememberedIn, NoQuery]) -> bytes:
        """Known answers."""
        return _told(Answers(answers=await self._desk.remembered(_shown(call), call.body.keys)))

    async def check(self, call: Call[Any, NoQuery]) -> None:
        """Lets pass who shows the pass."""
        await self._desk.check(_shown(call))

    async def keep(self, call: Call[KeepIn, NoQuery]) -> bytes:
        """Keeps what came of rows."""
        shown = _shown(call)
        body = read(Keeping, encoded(call.body.model_dump()))
        return _told(Until.at(await self._desk.keep(shown, body.outcomes, body.keys)))

    async def rows(self, call: Call[None, RowsQuery]) -> bytes:
        """What is known of rows."""
        found = await self._desk.outcomes(_shown(call), after=call.query.after, limit=call.query.limit)
        return _told(Outcomes(items=found))

    async def leave(self, call: Call[None, NoQuery]) -> None:
        """Takes a file of the job as it comes."""
        await self._desk.leave(_shown(call), call.words["file"], call.uploaded.chunks())


def _job(call: Call[Any, Any]) -> JobId:
    return JobId(call.path["job_id"])


def _attempt(call: Call[Any, Any]) -> int:
    text = call.words["attempt"]
    if not (text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) < _MOST_ATTEMPTS):
        raise Invalid.field("attempt", "must be a number from 1")
    return int(text)


def _shown(call: Call[Any, Any]) -> Shown:
    if call.bearer is None:
        raise Unauthenticated("show the pass of this attempt: Authorization: Bearer ...")
    return Shown(_job(call), _attempt(call), call.bearer)


def _told(message: Frozen) -> bytes:
    return message.model_dump_json().encode()
