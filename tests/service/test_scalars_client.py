"""The client of the scalars service against services that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

from entrypoints.http.scalars.app import create_scalars_app
from tests.faulty import black_hole, closed_port, scripted, serving
from tests.live import LiveApp, LiveScalars
from tests.scalar_batches import PROJECT, RUN, batch, curve
from tracker.adapters.memory.scalars import MemoryScalarStore
from tracker.adapters.scalars.http import HttpScalarStore, Patience
from tracker.adapters.scalars.http.breaker import Breaker
from tracker.adapters.scalars.http.contract import ContractService
from tracker.adapters.scalars.http.link import Link
from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.domain.errors import Invalid, NotFound, TooManyRequests, Unavailable
from tracker.domain.ids import ExperimentId, ProjectId
from tracker.scalars_wire import MSGPACK, pack

QUICK = Patience(connect=0.5, probe=0.2, read=1.0, write=1.0, tries=3, backoff=0.01)
NATIVE = {"protocol": "tracker-store", "version": 1}
LOGGED = {"answers": [{"status": "logged"}]}


def http(status: int, content: object = None, *, raw: bytes | None = None, **headers: str) -> bytes:
    """One HTTP answer in msgpack."""
    body = pack(content) if raw is None else raw
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {MSGPACK}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def native(*answers: bytes) -> Callable[[str, int], bytes]:
    """Says that it speaks our protocol, then gives these answers, the last one again and again."""
    given = iter(answers)
    last = [answers[-1]]

    def answer(request: str, number: int) -> bytes:
        if request == "GET /api/store":
            return http(200, NATIVE)
        last[0] = next(given, last[0])
        return last[0]

    return answer


async def test_a_refused_connection_is_unavailable_and_later_calls_do_not_even_try() -> None:
    store = HttpScalarStore(f"http://127.0.0.1:{closed_port()}", patience=QUICK)
    with pytest.raises(Unavailable, match="does not answer"):
        await store.summary(PROJECT)
    with pytest.raises(Unavailable) as refused:
        await store.append(PROJECT, curve(np.ones(1)))
    assert refused.value.retry_after > 0
    await store.close()


async def test_a_service_that_never_answers_holds_nobody_up() -> None:
    async with black_hole() as url:
        store = HttpScalarStore(url, patience=QUICK)
        async with asyncio.timeout(10):
            answers = await asyncio.gather(
                *(store.summary(PROJECT) for _ in range(50)), return_exceptions=True
            )
        assert {type(answer) for answer in answers} == {Unavailable}
        await store.close()


async def test_a_service_that_falls_silent_under_a_call_opens_the_breaker() -> None:
    gone = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            if gone.is_set():
                await reader.read()
                return
            gone.set()
            writer.write(http(200, NATIVE).replace(b"Connection: close\r\n", b""))

    async with serving(behave) as url:
        store = HttpScalarStore(url, patience=QUICK)
        for _ in range(2):
            with pytest.raises(Unavailable, match="does not answer"):
                await store.check()
        with pytest.raises(Unavailable, match=r"^the scalars service does not answer$"):
            await store.check()  # not even tried
        await store.close()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.slow
async def test_an_error_of_the_service_is_tried_again_and_forgotten_when_it_passes(status: int) -> None:
    async with scripted(native(http(status), http(status), http(200, LOGGED))) as url:
        store = HttpScalarStore(url, patience=QUICK)
        await store.append(PROJECT, curve(np.ones(1)))
        await store.close()


async def test_errors_without_end_are_unavailable() -> None:
    async with scripted(native(http(500, {"detail": "the disk burns", "code": "internal"}))) as url:
        store = HttpScalarStore(url, patience=QUICK)
        with pytest.raises(Unavailable, match="the disk burns"):
            await store.append(PROJECT, curve(np.ones(1)))
        await store.close()


async def test_a_full_queue_is_waited_for_and_then_told_with_its_time() -> None:
    asked = []
    full = native(http(429, {"detail": "full", "code": "too_many_requests"}, Retry_After="0"))

    def answer(request: str, number: int) -> bytes:
        asked.append(request)
        return full(request, number)

    async with scripted(answer) as url:
        store = HttpScalarStore(url, patience=QUICK)
        with pytest.raises(TooManyRequests, match="full"):
            await store.append(PROJECT, curve(np.ones(1)))
        assert len(asked) == 1 + QUICK.tries
        await store.close()


async def test_a_long_retry_after_is_passed_on_rather_than_waited_for() -> None:
    busy = http(503, {"detail": "busy"}, Retry_After="30")
    async with scripted(native(*[busy] * 5, http(200, LOGGED))) as url:
        store = HttpScalarStore(url, patience=QUICK)
        for _ in range(5):
            with pytest.raises(Unavailable, match="busy") as told:
                await store.append(PROJECT, curve(np.ones(1)))
            assert told.value.retry_after == 30
        await store.append(PROJECT, curve(np.ones(1)))  # a busy service is there: the breaker stays closed
        await store.close()


async def test_a_cut_connection_is_tried_again() -> None:
    half = http(200, LOGGED)[:-3]
    async with scripted(native(b"", half, http(200, LOGGED))) as url:
        store = HttpScalarStore(url, patience=QUICK)
        await store.append(PROJECT, curve(np.ones(1)))
        await store.close()


@pytest.mark.parametrize(
    "raw", [b"\xc1", b"", b"<html>", pack(LOGGED) + b"x", pack({"answers": []}), pack([1])]
)
async def test_an_answer_that_confirms_nothing_is_no_acknowledgement(raw: bytes) -> None:
    async with scripted(native(http(200, raw=raw))) as url:
        store = HttpScalarStore(url, patience=QUICK)
        with pytest.raises(Unavailable):
            await store.append(PROJECT, curve(np.ones(1)))
        await store.close()


@pytest.mark.parametrize("content", [{}, {"series": 7}, {"series": [{"name": "x"}]}, [], "text", None])
async def test_an_answer_of_another_shape_is_unavailable(content: object) -> None:
    async with scripted(native(http(200, content))) as url:
        store = HttpScalarStore(url, patience=QUICK)
        for ask in (
            lambda: store.summary(PROJECT), lambda: store.read(PROJECT, RUN, "x"),
            lambda: store.since(PROJECT, RUN), lambda: store.stats(PROJECT),
        ):  # fmt: skip
            with pytest.raises(Unavailable, match="cannot be read"):
                await ask()
        await store.close()


@pytest.mark.parametrize("url", ["ftp://host", "http://", "no address", "http://[::1"])
def test_an_address_of_no_http_server_is_invalid(url: str) -> None:
    with pytest.raises(Invalid, match="SCALARS_SERVICE_URL"):
        HttpScalarStore(url)


async def test_a_wrong_key_is_told_and_the_right_one_works() -> None:
    service = LiveScalars(MemoryScalarStore(), key="open-sesame")
    for key in (None, "wrong"):
        store = HttpScalarStore(service.url, key=key, patience=QUICK)
        with pytest.raises(Unavailable, match="key"):
            await store.summary(PROJECT)
        await store.close()
    store = HttpScalarStore(service.url + "/api/", key="open-sesame", patience=QUICK)
    await store.append(PROJECT, curve(np.ones(3)))
    assert (await store.summary(PROJECT))[0].count == 3
    await store.close()
    service.stop()


async def test_a_service_that_comes_back_is_used_again() -> None:
    store_behind = MemoryScalarStore()
    service = LiveScalars(store_behind)
    store = HttpScalarStore(service.url, patience=QUICK)
    await store.append(PROJECT, batch(("x", 1, 1, 1.0)))
    service.stop()
    with pytest.raises(Unavailable):
        await store.summary(PROJECT)
    again = LiveScalars(MemoryScalarStore(), port=service.port)
    async with asyncio.timeout(20):
        while True:
            try:
                assert await store.summary(PROJECT) == ()
                break
            except Unavailable as error:
                await asyncio.sleep(error.retry_after)
    await store.close()
    again.stop()


async def test_a_caller_that_goes_away_while_it_probes_leaves_the_next_one_to_probe() -> None:
    service = LiveScalars(MemoryScalarStore())
    store = HttpScalarStore(service.url, patience=QUICK)
    await store.check()
    service.stop()
    with pytest.raises(Unavailable):
        await store.check()
    async with black_hole(service.port) as url:
        assert url == service.url
        await asyncio.sleep(1.0)  # longer than the breaker stays open the first time
        prober = asyncio.create_task(store.check())
        await asyncio.sleep(0.05)
        prober.cancel()
        await asyncio.gather(prober, return_exceptions=True)
    again = LiveScalars(MemoryScalarStore(), port=service.port)
    await store.check()
    await store.close()
    again.stop()


class TestBreaker:
    def test_it_opens_after_failures_in_a_row_only(self) -> None:
        breaker = Breaker(failures=3, clock=lambda: 0.0)
        for _ in range(5):
            breaker.failed()
            breaker.failed()
            breaker.succeeded()
        assert breaker.admit() is False
        for _ in range(3):
            breaker.failed()
        with pytest.raises(Unavailable) as refused:
            breaker.admit()
        assert 0.4 <= refused.value.retry_after <= 0.6

    def test_one_call_probes_while_the_others_are_refused(self) -> None:
        now = [0.0]
        breaker = Breaker(clock=lambda: now[0])
        breaker.trip()
        now[0] = 1.0
        assert breaker.admit() is True
        with pytest.raises(Unavailable):
            breaker.admit()
        breaker.succeeded()
        assert breaker.admit() is False

    def test_each_failed_probe_doubles_the_wait_up_to_the_longest(self) -> None:
        now = [0.0]
        breaker = Breaker(cooldown=1.0, longest=4.0, clock=lambda: now[0])
        breaker.trip()
        waits = []
        for _ in range(5):
            with pytest.raises(Unavailable) as refused:
                breaker.admit()
            waits.append(refused.value.retry_after)
            now[0] += waits[-1]
            assert breaker.admit() is True
            breaker.failed()
        for wait, expected in zip(waits, [1, 2, 4, 4, 4], strict=True):
            assert 0.8 * expected <= wait <= 1.2 * expected

    def test_a_probe_that_was_cancelled_leaves_the_next_call_to_probe(self) -> None:
        now = [0.0]
        breaker = Breaker(clock=lambda: now[0])
        breaker.trip()
        now[0] = 1.0
        assert breaker.admit() is True
        breaker.abandoned()
        assert breaker.admit() is True


class TestGroups:
    async def test_what_is_appended_together_travels_together_and_each_gets_its_own_answer(self) -> None:
        asked: list[str] = []
        app = create_scalars_app(MemoryScalarStore(), SystemClock(), UuidV7Generator())

        async def counting(scope, receive, send) -> None:
            asked.append(scope.get("path", ""))
            await app(scope, receive, send)

        service = LiveApp(counting)
        store = HttpScalarStore(service.url)
        await store.delete(PROJECT, RUN)
        runs = [ExperimentId(UUID(int=100 + n)) for n in range(200)]
        kept = (store.append(PROJECT, curve(np.ones(3), run=run)) for run in runs)
        *answers, refused = await asyncio.gather(
            *kept, store.append(PROJECT, curve(np.ones(1))), return_exceptions=True
        )
        assert answers == [None] * 200 and isinstance(refused, NotFound)
        assert 1 <= sum(path.endswith("/append") for path in asked) < 10
        assert [row.count for row in await store.summary(PROJECT)] == [3] * 200
        await store.close()
        service.stop()

    async def test_closing_sends_what_was_accepted(self) -> None:
        service = LiveScalars(MemoryScalarStore())
        store = HttpScalarStore(service.url)
        await store.check()
        sent = [asyncio.create_task(store.append(PROJECT, curve(np.ones(1), start=n))) for n in range(50)]
        await asyncio.sleep(0)
        await store.close()
        assert await asyncio.gather(*sent) == [None] * 50
        service.stop()

    async def test_what_waits_behind_a_silent_call_is_refused_when_that_one_gives_up(self) -> None:
        asked = []

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asked.append(head.split(b" ")[0])
                if head.startswith(b"POST"):
                    await reader.read()
                    return
                writer.write(http(200, NATIVE).replace(b"Connection: close\r\n", b""))

        async with serving(behave) as url:
            store = HttpScalarStore(url, patience=QUICK)
            first = asyncio.create_task(store.append(PROJECT, curve(np.ones(1))))
            while b"POST" not in asked:
                await asyncio.sleep(0.01)
            rest = (store.append(PROJECT, curve(np.ones(1))) for _ in range(20))
            answers = await asyncio.gather(first, *rest, return_exceptions=True)
            assert {type(answer) for answer in answers} == {Unavailable}
            assert asked.count(b"POST") == 1
            await store.close()


class Thinking:
    """An ASGI application that thinks for so many seconds, and answers."""

    seconds = 2.2

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                await send({"type": f"{(await receive())['type']}.complete"})
            return
        await asyncio.sleep(self.seconds)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.mark.slow
async def test_more_calls_than_the_service_can_take_say_nothing_of_its_health() -> None:
    app = Thinking()
    live = LiveApp(app)
    breaker = Breaker()
    # The first in line have nearly 2 s to spare, as a busy machine may need; the next wait too briefly.
    link = Link(live.url, None, Patience(read=4.0), breaker)
    answers = await asyncio.gather(*(link.get("/x") for _ in range(100)), return_exceptions=True)
    kinds = {type(answer) for answer in answers}
    assert kinds == {dict, TooManyRequests}
    breaker.require_closed()
    app.seconds = 0.0
    assert await link.get("/x") == {}
    await link.aclose()
    await asyncio.to_thread(live.stop)


async def test_runs_that_begin_at_once_wait_for_a_silent_service_once() -> None:
    patience = Patience(connect=0.5, read=0.5, write=0.5)
    async with black_hole() as url, asyncio.timeout(4):
        link = Link(url, None, patience, Breaker())
        service = ContractService(link)
        same, others = ProjectId(uuid4()), [ProjectId(uuid4()) for _ in range(10)]
        appends = (service.append(project, curve(np.ones(1))) for project in [same] * 10 + others)
        answers = await asyncio.gather(*appends, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 20
        await link.aclose()
