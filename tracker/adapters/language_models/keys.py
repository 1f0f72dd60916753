"""Keys of endpoints and hubs: how one is sent, and how it is kept out of what is told."""

from __future__ import annotations

import re

from tracker.domain.errors import Invalid
from tracker.domain.evaluation.secrets import PlainSecret

__all__ = ["checked_key", "without_key"]

_KEY = re.compile(r"[\x21-\x7e]+")


def checked_key(key: PlainSecret) -> str:
    """The key as a header carries it, without space around it, which comes with copying.

    Raises:
        Invalid: it has characters that no key has. Whoever would send it would tell them in an error.
    """
    value = key.value.strip()
    if not _KEY.fullmatch(value):
        raise Invalid.field("secret_key_name", "the key has characters that no key has; store it anew")
    return value


def without_key(text: str, key: str) -> str:
    """`text` without the key, or any word that shows an end of it: some endpoints repeat it, half masked."""
    text = text.replace(key, "(key)")
    ends = (key[:4], key[-4:]) if len(key) >= 12 else ()
    return " ".join("(key)" if any(end in word for end in ends) else word for word in text.split(" "))
