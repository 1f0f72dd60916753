"""Which parameters nobody wants to see in a table: passwords, tokens, keys."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["MASK", "is_secret", "without_passwords"]

MASK = "***"

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_ALWAYS = re.compile(
    r"(^|_)(password|passwd|passphrase|pwd|secret|secrets|credential|credentials|bearer"
    r"|api_?keys?|access_?keys?|private_?keys?|secret_?keys?|auth_?tokens?|access_?tokens?)(_|$)"
)
# Texts called tokens mean two things in this field. These are the words of a vocabulary.
_VOCABULARY = frozenset(
    {"audio", "begin", "bos", "class", "cls", "end", "eos", "first", "image", "last", "mask", "next", "pad",
     "padding", "sep", "special", "start", "stop", "target", "unk", "unknown", "video", "word"}
)  # fmt: skip
_LIKE_VOCABULARY = re.compile(r"[<\[{|]|\s|.{0,7}$")
_URL_PASSWORD = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*):[^\s/@]+@")


def is_secret(name: str, value: Any) -> bool:
    """Whether a value called `name` should not be kept.

    Numbers are no secrets (``max_tokens``), but for passwords; a ``token`` that reads like a word of a
    vocabulary (``<pad>``) is none either.
    """
    words = [word.lower() for word in _WORDS.findall(name.rpartition(".")[2])]
    if not words or isinstance(value, float | bool) or value is None:
        return False
    if isinstance(value, int) and words[-1] not in ("password", "passwd", "passphrase", "pwd"):
        return False
    if _ALWAYS.search("_".join(words)):
        return True
    if words[-1] != "token" or _VOCABULARY.intersection(words) or not isinstance(value, str):
        return False
    return _LIKE_VOCABULARY.match(value) is None


def without_passwords(text: str) -> str:
    """`text` with the passwords of its URLs masked."""
    return _URL_PASSWORD.sub(rf"\1:{MASK}@", text) if "://" in text else text
