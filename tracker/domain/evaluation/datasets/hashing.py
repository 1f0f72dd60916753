r"""What a row and a dataset are called by their content.

All are stable: they do not depend on the file's format, its byte order mark, line ends, quoting, the order
of its columns, or the version of tracker. (A number in a column that plays no part is a number in JSON Lines
and a text in CSV, and these differ.) A change of a definition would change its tag.

* Canonical JSON of a value: keys sorted, no spaces, nothing escaped that need not be, UTF-8; a column whose
  value is null is left out.
* Row hash: SHA-256 of ``tracker-row-1\n`` and the canonical JSON of the row's values by column.
* Input hash: SHA-256 of ``tracker-input-1\n`` and the example in UTF-8. It is what inference sees of a row: a
  column added later does not have a model asked again.
* Content hash: SHA-256 of ``tracker-dataset-1\n`` and the row hashes, 32 bytes each, in the file's order.
* Cache key: SHA-256 of ``tracker-inference-1\n`` and the canonical JSON of model, prompt, parameters and
  input hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tracker.domain.evaluation.datasets.rows import Columns, Row
from tracker.domain.json_tree import thaw

__all__ = ["CacheKeys", "ContentHash", "cache_key", "canonical", "input_hash", "row_hash"]


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value, frozen or not. ``1`` and ``1.0`` are two values."""
    return json.dumps(
        thaw(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()


def row_hash(row: Row, columns: Columns) -> bytes:
    """SHA-256 of all of a row, 32 bytes."""
    values = {name: value for name, value in row.values(columns).items() if value is not None}
    return hashlib.sha256(b"tracker-row-1\n" + canonical(values)).digest()


def input_hash(example: str) -> bytes:
    """SHA-256 of what a model is given, 32 bytes."""
    return hashlib.sha256(b"tracker-input-1\n" + example.encode()).digest()


class ContentHash:
    """The content hash of rows that come one by one."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(b"tracker-dataset-1\n")

    def add(self, row: Row, columns: Columns) -> None:
        """The next row."""
        self._hash.update(row_hash(row, columns))

    def hexdigest(self) -> str:
        """Of all rows so far, in 64 digits."""
        return self._hash.hexdigest()


def cache_key(*, model: str, prompt: str, parameters: Mapping[str, Any], row: bytes) -> str:
    """Under what a model's answer is remembered, in 64 digits.

    Args:
        model: which, with its endpoint and revision: two endpoints may serve two models by one name.
        prompt: all the text beside the example.
        parameters: of generation, every one, since a default may change.
        row: input hash.
    """
    parts = {"model": model, "parameters": parameters, "prompt": prompt, "row": row.hex()}
    return hashlib.sha256(b"tracker-inference-1\n" + canonical(parts)).hexdigest()


class CacheKeys:
    """The cache keys of many rows: what they share is hashed once.

    Args:
        model, prompt, parameters: as :func:`cache_key` takes them.
    """

    def __init__(self, *, model: str, prompt: str, parameters: Mapping[str, Any]) -> None:
        whole = canonical({"model": model, "parameters": parameters, "prompt": prompt, "row": ""})
        self._shared = hashlib.sha256(b"tracker-inference-1\n" + whole.removesuffix(b'"}'))

    def key(self, row: bytes) -> str:
        """What :func:`cache_key` gives for this input hash."""
        own = self._shared.copy()
        own.update(row.hex().encode() + b'"}')
        return own.hexdigest()
