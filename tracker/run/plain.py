"""Whatever people configure their training with, as plain JSON: dicts, lists, numbers and text.

Nothing here imports what it recognises (numpy, torch, OmegaConf, pydantic, attrs): a value that came from
a package is known by what it offers. Nothing here raises: what cannot be taken is left out or kept as text
and told afterwards, one sentence a kind of problem.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from tracker.run.known_types import Members, is_array, items_of, members_of, scalar_of, text_of
from tracker.run.secret_names import MASK, is_secret, without_passwords

__all__ = ["LONGEST_TEXT", "PlainTree", "Tell"]

Tell = Callable[[str], None]
"""Takes a sentence about what was done otherwise than it was asked."""

LONGEST_TEXT = 100_000
MOST_NODES = 200_000
MOST_ITEMS = 10_000
_DEEPEST = 60
_MOST_NAMED = 5
_MOST_DIGITS = 2**63
_LONE = re.compile("[\x00\ud800-\udfff]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

_PROBLEMS = {
    "text": "{names}: kept as text, since there is no other form for a {detail}",
    "nameless": "{names}: left out, since a {detail} has no names; give a dict, dataclass or config",
    "masked": "{names}: masked, since the name says it is a secret; rename it to keep it",
    "lost": "{names}: left out, since it cannot be read ({detail})",
    "number": "{names}: kept as text, since only finite numbers of at most 64 bits can be kept",
    "cut": "{names}: kept in part, since it is larger than what one experiment should carry",
    "twice": "{names}: given twice; the last one is kept",
    "letters": "{names}: had characters that cannot be kept; they are now question marks",
}


class PlainTree:
    """One walk through a value, and what was odd on the way.

    Args:
        field: how the whole is called where something is told of it, such as ``params``.
        mask: whether what looks like a secret by its name becomes ``***``.
        most_nodes: what comes behind so many values is left out.
    """

    def __init__(self, field: str, *, mask: bool = True, most_nodes: int = MOST_NODES) -> None:
        self._field = field
        self._mask = mask
        self._room = most_nodes
        self._above: set[int] = set()
        self._problems: dict[tuple[str, str], list[str]] = {}

    def of(self, value: Any) -> dict[str, Any] | None:
        """The tree of something that has names and values; ``None`` (and a problem) of anything else."""
        members = self._members(value, "")
        if members is None:
            self.note("nameless", "", type(value).__qualname__)
            return None
        tree: dict[str, Any] = self._mapping(value, members, "", is_hidden=False, depth=0)
        return tree

    def note(self, problem: str, path: str, detail: str = "") -> None:
        """Remembers what was odd about the value at `path`."""
        name = f"{self._field}.{path}" if path else self._field
        found = self._problems.setdefault((problem, detail), [])
        if name not in found:
            found.append(name)

    def tell(self, tell: Tell) -> None:
        """Says what was odd: one sentence a kind of problem, which names some of the fields."""
        for (problem, detail), names in self._problems.items():
            listed = ", ".join(names[:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            tell(_PROBLEMS[problem].format(names=listed + more, detail=detail))

    def _members(self, value: Any, path: str) -> Members | None:
        try:
            return members_of(value)
        except Exception as error:  # it is theirs, and may do anything
            self.note("lost", path, _said(error))
            return None

    def _mapping(self, value: Any, members: Members, path: str, *, is_hidden: bool, depth: int) -> Any:
        keys, get = members
        found: dict[str, Any] = {}
        self._above.add(id(value))
        for key in keys:
            name = self._name(key, path)
            below = f"{path}.{name}" if path else name
            if not self._has_room():
                self.note("cut", below)
                break
            if name in found:
                self.note("twice", below)
            try:
                item = get(key)
                hidden = is_hidden or (self._mask and is_secret(name, item))
            except Exception as error:  # a property or an interpolation of theirs
                self.note("lost", below, _said(error))
                continue
            found[name] = self._plain(item, below, is_hidden=hidden, depth=depth + 1)
        self._above.discard(id(value))
        return found

    def _sequence(self, value: Any, items: Iterable[Any], path: str, *, is_hidden: bool, depth: int) -> Any:
        found: list[Any] = []
        self._above.add(id(value))
        for index, item in enumerate(items):
            if index == MOST_ITEMS or not self._has_room():
                self.note("cut", path)
                break
            found.append(self._plain(item, f"{path}.{index}", is_hidden=is_hidden, depth=depth + 1))
        self._above.discard(id(value))
        return found

    def _plain(self, value: Any, path: str, *, is_hidden: bool, depth: int) -> Any:
        if depth > _DEEPEST or id(value) in self._above:
            self.note("cut", path)
            return "…"
        try:
            is_scalar, scalar = scalar_of(value)
            members = None if is_scalar else members_of(value)
            items = None if is_scalar or members is not None else items_of(value)
        except Exception as error:  # theirs, too
            self.note("lost", path, _said(error))
            return None
        if is_scalar:
            return self._kept(scalar, path, is_hidden)
        if members is not None:
            return self._mapping(value, members, path, is_hidden=is_hidden, depth=depth)
        if items is not None:
            return self._sequence(value, items, path, is_hidden=is_hidden, depth=depth)
        return self._kept(self._unknown(value, path), path, is_hidden)

    def _kept(self, scalar: Any, path: str, is_hidden: bool) -> Any:
        """A scalar as JSON and databases hold it."""
        if is_hidden and scalar is not None and not isinstance(scalar, bool):
            self.note("masked", path)
            return MASK
        if isinstance(scalar, str):
            return self._text(scalar, path)
        if isinstance(scalar, int) and not -_MOST_DIGITS <= scalar < _MOST_DIGITS:
            self.note("number", path)
            return self._text(str(Decimal(scalar)), path)  # str() of a huge int may be forbidden
        if isinstance(scalar, float) and not math.isfinite(scalar):
            self.note("number", path)
            return str(scalar)
        return scalar

    def _text(self, text: str, path: str) -> str:
        if _LONE.search(text):
            self.note("letters", path)
            text = _LONE.sub("?", text)
        if len(text) > LONGEST_TEXT:
            self.note("cut", path)
            text = text[:LONGEST_TEXT] + "…"
        return without_passwords(text) if self._mask else text

    def _unknown(self, value: Any, path: str) -> str:
        known = text_of(value)
        if known is not None:
            if is_array(value):
                self.note("cut", path)
            return known
        kind = type(value).__qualname__
        self.note("text", path, kind)
        try:
            return _ADDRESS.sub("", str(value))  # which differs from run to run
        except Exception:  # theirs
            return f"<{kind}>"

    def _name(self, key: Any, path: str) -> str:
        if isinstance(key, str) and type(key) is str and not _LONE.search(key):
            return key
        try:
            is_scalar, scalar = scalar_of(key)
            name = str(scalar if is_scalar else key)
        except Exception:  # theirs
            name = f"<{type(key).__qualname__}>"
        return self._text(name, f"{path}.{name}" if path else name)

    def _has_room(self) -> bool:
        self._room -= 1
        return self._room >= 0


def _said(error: Exception) -> str:
    """An error in a few words."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:120]}" if text else type(error).__name__
