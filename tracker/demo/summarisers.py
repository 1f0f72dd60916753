"""Three small summarisers by rule, served like language models."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn

from tracker.demo.endpoint import ChatEndpoint
from tracker.domain.errors import Unavailable

__all__ = ["SUMMARISERS", "served"]

_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n\s*\n")
_WORD = re.compile(r"[a-z]{4,}")
_FIRST_WORDS = 12


def _sentences(text: str) -> list[str]:
    found = [" ".join(part.split()) for part in _SENTENCE_END.split(text.strip())]
    return [sentence for sentence in found if sentence] or [""]


def first_sentence(system: str, text: str) -> str:
    """The first sentence."""
    return _sentences(text)[0]


def first_words(system: str, text: str) -> str:
    """The first twelve words."""
    return " ".join(text.split()[:_FIRST_WORDS])


def frequent_words(system: str, text: str) -> str:
    """The sentence whose words are the most frequent ones of the text, on average (H. P. Luhn, 1958)."""
    counts = Counter(_WORD.findall(text.lower()))

    def score(sentence: str) -> float:
        words = _WORD.findall(sentence.lower())
        return sum(counts[word] for word in words) / len(words) if words else 0.0

    return max(_sentences(text), key=score)


SUMMARISERS: Mapping[str, Callable[[str, str], str]] = {
    "first-words": first_words,
    "first-sentence": first_sentence,
    "frequent-words": frequent_words,
}
"""By the names under which they are served."""


@contextmanager
def served() -> Iterator[str]:
    """Serves them on this machine; the address of the endpoint.

    Raises:
        Unavailable: it does not start.
    """
    config = uvicorn.Config(
        ChatEndpoint(SUMMARISERS), host="127.0.0.1", port=0, log_config=None, access_log=False, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise Unavailable("the demo's endpoint did not start")
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(10)
