"""The desk over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx

from tracker.desk_wire import PAGE, Admitted, Answers, Keeping, Numbers, Outcomes, Until, read
from tracker.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    TooLarge,
    TrackerError,
    Unauthenticated,
    Unavailable,
)
from tracker.domain.evaluation.jobs.row_outcomes import RowOutcome
from tracker.domain.ids import JobId
from tracker.ports.evaluation.desk import Admission
from tracker.trust import trust_for

__all__ = ["HttpDesk"]

_PATH = "/api/v1/desk"
_SECONDS = httpx.Timeout(30, read=120)
_LARGEST = 4 * 2**20  # of one body of outcomes, unless one alone is larger
_JSON = {"Content-Type": "application/json"}
# What is gone was deleted: to a worker that is the end of its job, as is what the installation has stopped.
_BY_STATUS: Mapping[int, type[TrackerError]] = {
    400: Invalid, 401: Unauthenticated, 403: Forbidden, 404: Conflict, 409: Conflict, 413: TooLarge,
    422: Invalid,
}  # fmt: skip


class HttpDesk:
    """The port :class:`tracker.ports.evaluation.desk.Desk` at a server.

    Args:
        url: address of the installation, or of its desk.
        job_id: for which the worker was sent.
        attempt: at it.
        transport: in place of the network.
    """

    def __init__(
        self, url: str, job_id: JobId, attempt: int, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        root = url.rstrip("/").removesuffix(_PATH)
        base = f"{root}{_PATH}/{job_id}/{attempt}"
        self._http = httpx.AsyncClient(
            base_url=base, timeout=_SECONDS, transport=transport, verify=trust_for(base)
        )

    async def admit(self, handle: str) -> Admission:
        """Takes up the errand, once."""
        admitted = read(Admitted, await self._post("admit", {"handle": handle}))
        self._http.headers["Authorization"] = f"Bearer {admitted.token}"
        return admitted.admission

    async def begin(self, rows_total: int | None) -> datetime:
        """Notes that the attempt runs."""
        return read(Until, await self._post("begin", {"rows_total": rows_total})).until

    async def heartbeat(self) -> datetime:
        """A sign of life."""
        return read(Until, await self._post("heartbeat", {})).until

    async def dataset(self) -> AsyncIterator[bytes]:
        """The bytes of the dataset's file."""
        with _translated():
            async with self._http.stream("GET", "dataset", headers={"Accept-Encoding": "identity"}) as answer:
                if not answer.is_success:
                    await answer.aread()
                _check(answer)
                async for chunk in answer.aiter_bytes():
                    yield chunk

    async def answered(self) -> frozenset[int]:
        """The numbers of the rows that need not be sent again."""
        return frozenset(read(Numbers, await self._get("answered")).rows)

    async def remembered(self, keys: Collection[str]) -> Mapping[str, RowOutcome]:
        """Answers that are known of earlier."""
        found: dict[str, RowOutcome] = {}
        wanted = list(keys)
        for start in range(0, len(wanted), PAGE):
            content = await self._post("remembered", {"keys": wanted[start : start + PAGE]})
            found.update(read(Answers, content).answers)
        return found

    async def keep(self, outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> datetime:
        """Keeps what came of rows; more than fits into one body goes in several, each durable by itself."""
        until: datetime | None = None
        for body in _bodies(outcomes, keys):
            until = read(Until, await self._send("POST", "rows", content=body, headers=_JSON)).until
        if until is None:
            return await self.heartbeat()
        return until

    async def outcomes(self) -> AsyncIterator[RowOutcome]:
        """All that is known of the job's rows, by number."""
        after = 0
        while page := read(Outcomes, await self._get("rows", after=after, limit=PAGE)).items:
            for outcome in page:
                yield outcome
            after = page[-1].number

    async def leave(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Leaves a file of the job."""
        headers = {"Content-Type": "application/octet-stream"}
        await self._send("PUT", f"files/{name}", content=chunks, headers=headers)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _get(self, path: str, **query: Any) -> bytes:
        return await self._send("GET", path, params=query)

    async def _post(self, path: str, body: Mapping[str, Any]) -> bytes:
        return await self._send("POST", path, content=json.dumps(body), headers=_JSON)

    async def _send(self, method: str, path: str, **more: Any) -> bytes:
        with _translated():
            answer = await self._http.request(method, path, **more)
        _check(answer)
        return answer.content


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise Unavailable(f"the desk does not answer: {error or type(error).__name__}") from error


def _check(answer: httpx.Response) -> None:
    """Lets pass an answer that is one.

    Raises:
        TrackerError: what the refusal means to a worker.
    """
    if answer.is_success:
        return
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, TypeError, KeyError):
        detail = f"the desk answered {answer.status_code}"
    raise _BY_STATUS.get(answer.status_code, Unavailable)(detail)


def _bodies(outcomes: Sequence[RowOutcome], keys: Mapping[int, str]) -> Iterator[bytes]:
    batch: list[RowOutcome] = []
    size = 0
    for outcome in outcomes:
        length = len(outcome.model_dump_json())
        if batch and (size + length > _LARGEST or len(batch) >= PAGE):
            yield _body(batch, keys)
            batch, size = [], 0
        batch.append(outcome)
        size += length
    if batch:
        yield _body(batch, keys)


def _body(batch: Sequence[RowOutcome], keys: Mapping[int, str]) -> bytes:
    mine = {one.number: keys[one.number] for one in batch if one.number in keys}
    return Keeping(outcomes=tuple(batch), keys=mine).model_dump_json().encode()
