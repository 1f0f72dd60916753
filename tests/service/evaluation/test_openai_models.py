"""OpenAI-compatible endpoints, well behaved or not, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.endpoint.live import LiveEndpoint
from tracker.adapters.language_models.hf import HfModel, Loading
from tracker.adapters.language_models.openai import OpenAiModel, Timeouts
from tracker.domain.errors import Invalid
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.retrying import Failure
from tracker.domain.evaluation.providers import PROVIDERS, Endpoint
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.ports.evaluation.language_model import Answer, Miss

PLAIN = GenerationConfig()
KEY = "sk-proj-Zq81xPw3LmTn7"
QUICK = Timeouts(connect=2, read=0.3, total=0.6)


@pytest.fixture(scope="module")
def live() -> Iterator[LiveEndpoint]:
    server = LiveEndpoint()
    yield server
    server.stop()


def model_at(url: str, key: str | None = None, **how: Any) -> OpenAiModel:
    secret = None if key is None else PlainSecret(value=key)
    return OpenAiModel("small", Endpoint(url, **how.pop("endpoint", {})), secret, **how)


async def asked(
    live: LiveEndpoint, does: str, *, config: GenerationConfig = PLAIN, text: str = "a b", **how: Any
) -> Answer | Miss:
    live.endpoint.plan, live.endpoint.default = {}, [does]
    live.endpoint.asked.clear()
    live.endpoint.requests.clear()
    live.endpoint.headers.clear()
    model = model_at(live.base_url, **how)
    try:
        return await model.answer("be brief", text, config)
    finally:
        await model.close()


def told(message: dict[str, Any], finish: str = "stop", **more: Any) -> str:
    body = {"choices": [{"message": message, "finish_reason": finish}], **more}
    return f"told:{json.dumps(body)}"


@pytest.mark.parametrize(
    ("does", "failure", "why"),
    [
        ("500", Failure.SERVER, "HTTP 500"), ("503", Failure.SERVER, "503"), ("504", Failure.TIMEOUT, "504"),
        ("400", Failure.REFUSED, "HTTP 400"), ("404", Failure.REFUSED, "404"),
        ("401", Failure.KEY_REFUSED, "401"), ("403", Failure.KEY_REFUSED, "403"),
        ("429", Failure.RATE_LIMITED, "slow down"), ("slow:1", Failure.TIMEOUT, "does not answer"),
        ("cut", Failure.CONNECTION, "does not answer"), ("drop", Failure.CONNECTION, "does not answer"),
        ("malformed", Failure.MALFORMED, "not JSON"), ("html", Failure.MALFORMED, "Welcome to nginx"),
        ("huge", Failure.MALFORMED, "more than 4,000,000 bytes"), ("packed", Failure.MALFORMED, "gzip"),
        ("redirect", Failure.REFUSED, "not followed"), ("told:", Failure.MALFORMED, "not JSON"),
        ("told:[]", Failure.MALFORMED, "no JSON object"), ("told:{}", Failure.MALFORMED, "no choices"),
        ('told:{"choices": []}', Failure.MALFORMED, "no choices"),
        ('told:{"choices": [null]}', Failure.MALFORMED, "no choices"),
        ('told:{"choices": [{}]}', Failure.MALFORMED, "no message"),
        ('told:{"error": {"message": "overloaded", "code": 429}}', Failure.RATE_LIMITED, "overloaded"),
        ('told:{"error": {"message": "upstream", "code": "x"}}', Failure.SERVER, "upstream"),
        (told({"content": None}), Failure.MALFORMED, "no content"),
        (told({"content": 5}), Failure.MALFORMED, "no content"),
        (told({"content": None, "refusal": "I will not"}), Failure.REFUSED, "I will not"),
        (told({"content": None}, "length"), Failure.REFUSED, "allow more"),
        (told({"content": "", "reasoning_content": "hm"}, "length"), Failure.REFUSED, "its reasoning"),
        (told({"content": "<think>hm"}, "length"), Failure.REFUSED, "its reasoning"),
        (told({"content": None}, "content_filter"), Failure.REFUSED, "content filter"),
        (told({"content": None, "tool_calls": [{}]}), Failure.REFUSED, "tool"),
        (told({"content": "a\x00b"}), Failure.MALFORMED, "NUL"),
        (told({"content": "\ud83d"}), Failure.MALFORMED, "surrogate"),
        ("told:" + "[" * 100_000, Failure.MALFORMED, "not JSON"),
    ],
)  # fmt: skip
async def test_whatever_an_endpoint_does_is_told_as_a_failure(
    live: LiveEndpoint, does: str, failure: Failure, why: str
) -> None:
    found = await asked(live, does, timeouts=QUICK, key=KEY)
    assert isinstance(found, Miss), found
    assert found.failure is failure and why in found.why
    assert KEY not in repr(found) and KEY[:8] not in found.why and KEY[-4:] not in found.why
    assert sum(live.endpoint.asked.values()) == 1


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": " a\n"}, " a\n", None),
        ({"content": ""}, "", None),
        ({"content": "cut of"}, "cut of", None),
        ({"content": "yes", "reasoning_content": "so"}, "yes", "so"),
        ({"content": "yes", "reasoning": "so"}, "yes", "so"),
        ({"content": "<think>\nso\n</think>\n\nyes"}, "yes", "so"),
        ({"content": "so\n</think>\n\nyes"}, "yes", "so"),
        ({"content": "<think>\n\n</think>\n\nyes"}, "yes", None),
        ({"content": "say <think> and </think>"}, "say <think> and </think>", None),
        ({"content": "<think>x</think>", "reasoning": "so"}, "<think>x</think>", "so"),
        ({"content": [{"type": "text", "text": "ye"}, {"type": "text", "text": "s"}]}, "yes", None),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]},
                         {"type": "text", "text": "yes"}]}, "yes", "so",
        ),
    ],
)  # fmt: skip
async def test_answers_are_verbatim_and_thoughts_stand_apart(
    live: LiveEndpoint, message: dict[str, Any], text: str, reasoning: str | None
) -> None:
    finish = "length" if text == "cut of" else "stop"
    assert await asked(live, told(message, finish)) == Answer(text, reasoning)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, (5, 7, None)),
        ({"prompt_tokens": 5, "completion_tokens": 7, "completion_tokens_details": {"reasoning_tokens": 3}},
         (5, 7, 3)),
        ({"prompt_tokens": 5.0, "completion_tokens": None, "completion_tokens_details": None},
         (5, None, None)),
        ({"prompt_tokens": -1, "completion_tokens": True}, (None, None, None)),
        ({"prompt_tokens": 10**30, "completion_tokens": "9"}, (None, None, None)),
        (None, (None, None, None)), ([], (None, None, None)),
    ],
)  # fmt: skip
async def test_tokens_are_as_the_endpoint_counts_them(
    live: LiveEndpoint, usage: Any, tokens: tuple[int | None, ...]
) -> None:
    found = await asked(live, told({"content": "x"}, usage=usage))
    assert isinstance(found, Answer) and found[2:] == tokens


@pytest.mark.parametrize(
    ("does", "least", "most"),
    [("429:7", 7, 7), ("429:1.5", 1.5, 1.5), ("429:d30", 25, 30), ("429:d-9", 0, 0), ("429:0", 0, 0)],
)
async def test_a_pause_is_read_in_seconds_or_as_a_date(
    live: LiveEndpoint, does: str, least: float, most: float
) -> None:
    found = await asked(live, does)
    assert isinstance(found, Miss) and found.asked is not None and least <= found.asked <= most


@pytest.mark.parametrize("value", ["soon", "-3", "nan", "inf", ""])
async def test_a_pause_that_is_none_is_passed_over(live: LiveEndpoint, value: str) -> None:
    found = await asked(live, f"429:{value}" if value else "429")
    assert isinstance(found, Miss) and found.asked is None


async def test_texts_and_parameters_arrive_verbatim(live: LiveEndpoint) -> None:
    text = 'say "hi"\n$(reboot) `x` \\ \u2028 é 中文 😀 </think>'
    config = GenerationConfig(
        max_new_tokens=9, frequency_penalty=-0.5, temperature=0, top_p=1, seed=3, stop=("END",)
    )
    found = await asked(live, "ok", config=config, text=text)
    assert isinstance(found, Answer) and found.text == text.upper()
    assert live.endpoint.requests == [{
        "model": "small", "max_tokens": 9, "frequency_penalty": -0.5, "temperature": 0.0, "top_p": 1.0,
        "seed": 3, "stop": ["END"],
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": text}],
    }]  # fmt: skip


async def test_what_has_the_default_of_the_protocol_is_left_out(live: LiveEndpoint) -> None:
    await asked(live, "ok")
    assert set(live.endpoint.requests[0]) == {"model", "messages", "max_tokens", "temperature", "top_p"}


async def test_mistral_calls_the_seed_otherwise(live: LiveEndpoint) -> None:
    seed = PROVIDERS["mistral"].seed
    await asked(live, "ok", config=GenerationConfig(seed=3), endpoint={"seed": seed})
    assert live.endpoint.requests[0]["random_seed"] == 3


async def test_an_endpoint_that_wants_the_new_name_of_a_parameter_gets_it_from_then_on(
    live: LiveEndpoint,
) -> None:
    live.endpoint.default = ["new_name"] * 9
    live.endpoint.requests.clear()
    model = model_at(live.base_url)
    for text in ("p", "q"):
        assert isinstance(await model.answer("", text, PLAIN), Answer)
    await model.close()
    names = ["max_tokens" in request for request in live.endpoint.requests]
    assert names == [True, False, False]


async def test_the_key_goes_into_its_header_and_nowhere_else(live: LiveEndpoint) -> None:
    assert isinstance(await asked(live, "ok", key=f" {KEY}\n"), Answer)
    headers = live.endpoint.headers[0]
    assert headers.pop("authorization") == f"Bearer {KEY}"
    assert KEY not in repr(headers) + repr(live.endpoint.requests)
    model = model_at(live.base_url, KEY)
    assert KEY not in repr(model)
    await model.close()
    await asked(live, "ok")
    assert "authorization" not in live.endpoint.headers[0]


async def test_a_short_key_is_not_told_either(live: LiveEndpoint) -> None:
    found = await asked(live, "401", key="hunter2")
    assert isinstance(found, Miss) and "hunter2" not in found.why and "(key)" in found.why


async def test_an_answer_that_repeats_the_key_is_kept_without_it(live: LiveEndpoint) -> None:
    repeats = told({"content": f"you sent Bearer {KEY}", "reasoning": f"{KEY}, hm"})
    found = await asked(live, repeats, key=KEY)
    assert isinstance(found, Answer)
    assert (found.text, found.reasoning) == ("you sent Bearer (key)", "(key), hm")
    # What stands in the place of a key, where none is wanted, may be a word of the answer.
    found = await asked(live, told({"content": "EMPTY it is"}), key="EMPTY")
    assert isinstance(found, Answer) and found.text == "EMPTY it is"


@pytest.mark.parametrize("key", ["a b", "a\nb", "ключ", "a\r\nHost: b"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(key: str) -> None:
    opened: list[Callable[[], object]] = [
        lambda: model_at("http://127.0.0.1:1", key),
        lambda: HfModel("m", Loading(), PlainSecret(value=key)),
    ]
    for opens in opened:
        with pytest.raises(Invalid) as caught:
            opens()
        assert caught.value.problems[0].loc == ("secret_key_name",)
        assert key not in caught.value.detail and caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h", "http://h/chat/completions"),
        ("https://h/openai?api-version=2", "https://h/openai/chat/completions?api-version=2"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1/chat/completions"),
    ],
)
def test_the_path_follows_the_base_url(base_url: str, url: str) -> None:
    assert str(model_at(base_url)._url) == url


async def test_nobody_there_is_a_lost_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    model = model_at(f"http://127.0.0.1:{port}")
    found = await model.answer("", "x", PLAIN)
    assert isinstance(found, Miss) and found.failure is Failure.CONNECTION
    await model.close()


async def test_a_server_without_tls_is_a_lost_connection_that_says_so(live: LiveEndpoint) -> None:
    model = model_at(live.base_url.replace("http:", "https:"))
    found = await model.answer("", "x", PLAIN)
    assert isinstance(found, Miss) and found.failure is Failure.CONNECTION and "SSL" in found.why
    await model.close()


def test_a_certificate_that_nobody_vouches_for_is_never_accepted() -> None:
    model = model_at("https://127.0.0.1:1")
    context = model._http._transport._verify  # type: ignore[attr-defined]
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname


async def test_more_questions_than_connections_wait_for_one_and_reuse_it(live: LiveEndpoint) -> None:
    live.endpoint.plan, live.endpoint.default = {f"q {n}": ["500"] for n in range(0, 40, 7)}, []
    while live.endpoint.at_once:  # what earlier tests gave up
        await asyncio.sleep(0.02)
    live.endpoint.seconds, live.endpoint.most_at_once = 0.005, 0
    model = model_at(live.base_url, connections=3)
    found = await asyncio.gather(*(model.answer("", f"q {n}", PLAIN) for n in range(40)))
    live.endpoint.seconds = 0.0
    await model.close()
    assert [isinstance(one, Miss) for one in found] == [n % 7 == 0 for n in range(40)]
    assert live.endpoint.most_at_once == 3


async def test_a_question_that_is_given_up_leaves_its_connection_to_others(live: LiveEndpoint) -> None:
    live.endpoint.plan, live.endpoint.default = {"late": ["slow:0.5"] * 9}, []
    model = model_at(live.base_url, connections=1)
    for _ in range(3):
        task = asyncio.create_task(model.answer("", "late", PLAIN))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert isinstance(await model.answer("", "x", PLAIN), Answer)
    await model.close()


async def test_a_proxy_of_the_environment_is_used(
    live: LiveEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", live.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    live.endpoint.plan, live.endpoint.default = {}, []
    model = model_at("http://model.invalid/v1")
    assert isinstance(await model.answer("", "x", PLAIN), Answer | Miss)
    assert live.endpoint.headers[-1]["host"] == "model.invalid"
    await model.close()


async def test_a_trickle_does_not_hold_a_row_for_ever() -> None:
    """Each byte comes in time, all of them never."""
    stop = threading.Event()

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        model = model_at(f"http://127.0.0.1:{server.getsockname()[1]}", timeouts=QUICK)
        found = await model.answer("", "x", PLAIN)
        stop.set()
        thread.join()
        await model.close()
    assert isinstance(found, Miss) and found.failure is Failure.TIMEOUT
