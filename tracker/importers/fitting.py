"""Makes what other tools allow fit what tracker allows, and tells of each change."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tracker.domain.json_tree import MAX_INTEGER
from tracker.importers.records import LeftOut

__all__ = ["Fitting", "from_micros"]

NAME, DESCRIPTION, METRIC, TAG, TAGS = 100, 1000, 255, 100, 100


def from_micros(micros: int | None) -> datetime | None:
    """A moment out of microseconds since 1970 UTC; ``None`` where a calendar has no such day."""
    if micros is None:
        return None
    try:
        return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    except (ValueError, OverflowError, OSError):
        return None


class Fitting:
    """Fits one run; afterwards `left_out` tells what was changed on the way."""

    def __init__(self) -> None:
        self._changes: Counter[tuple[str, str]] = Counter()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What did not fit, each kind once."""
        return tuple(LeftOut(what, why, count) for (what, why), count in self._changes.items())

    def _tell(self, what: str, why: str) -> None:
        self._changes[what, why] += 1

    def text(self, text: str, limit: int, what: str) -> str:
        """`text` within `limit` characters; a cut one keeps apart from others by a hash at its end."""
        clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
        if clean != text:
            self._tell(
                f"{what} {clean[:40]}", "has characters that no database keeps; they became ? or \ufffd"
            )
        if len(clean) <= limit:
            return clean
        self._tell(f"{what} {clean[:40]}...", f"is cut to {limit} characters")
        digest = hashlib.blake2b(clean.encode(), digest_size=4).hexdigest()
        return f"{clean[: limit - 9]}~{digest}"

    def name(self, text: str) -> str:
        """The name of an experiment or a project."""
        return self.text(text, NAME, "name") or "unnamed"

    def scalar(self, text: str) -> str:
        """The name of a series or a metric."""
        return self.text(text, METRIC, "scalar") or "unnamed"

    def description(self, text: str) -> str:
        """Notes."""
        clean = self.text(text, max(len(text), 1), "notes")
        if len(clean) > DESCRIPTION:
            self._tell("notes", f"are cut to {DESCRIPTION} characters")
        return clean[:DESCRIPTION]

    def tags(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Each tag once, those that fit."""
        kept: dict[str, None] = {}
        for tag in tags:
            clean = self.text(tag, max(len(tag), 1), "tag")
            if not clean or len(clean) > TAG:
                self._tell(f"tag {clean[:40]}", f"has not 1 to {TAG} characters")
            elif clean not in kept and len(kept) == TAGS:
                self._tell("tags", f"an experiment has at most {TAGS}")
            else:
                kept[clean] = None
        return tuple(kept)

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Typed flat parameters: lists become their JSON, numbers that are not finite their text."""
        return dict(self._leaves(params, ""))

    def _leaves(self, tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for key, value in tree.items():
            path = self.text(f"{prefix}{key}", 10_000, "parameter")
            if isinstance(value, Mapping) and value:
                yield from self._leaves(value, f"{path}.")
            else:
                yield path, self._leaf(path, value)

    def _leaf(self, path: str, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.text(value, 1_000_000, f"parameter {path}")
        if isinstance(value, int) and -MAX_INTEGER <= value < MAX_INTEGER:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, int | float):
            self._tell(f"parameter {path}", "is no finite 64-bit number, so it is kept as text")
            return str(value)
        self._tell(f"parameter {path}", "is no single value, so its JSON is kept as text")
        return self.text(json.dumps(value, ensure_ascii=False, default=str), 1_000_000, f"parameter {path}")
