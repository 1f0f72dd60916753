"""From what was captured to the command that runs it again."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tracker.capture.command import REPEATED
from tracker.domain.errors import Conflict, Invalid

__all__ = ["Differing", "Repeated", "differing", "repeated", "requirements"]

# As packages write the objects their commands call; see "Entry points specification" of PyPA.
_TARGET = re.compile(r"(?P<module>[A-Za-z_][\w.]*)\s*:\s*(?P<called>[A-Za-z_][\w.]*)\s*(?:\[.*\])?\Z")


@dataclass(frozen=True)
class Repeated:
    """A process to start.

    Attributes:
        words: behind the interpreter.
        folder: to start it in.
        variables: of its environment.
    """

    words: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str]


class Differing(NamedTuple):
    """A package that is not as it was.

    Attributes:
        name: of it.
        recorded: its version then; ``None`` when it was not there.
        present: its version now; ``None`` when it is not there.
    """

    name: str
    recorded: str | None
    present: str | None


def repeated(environment: Mapping[str, Any], tree: Path, extra: Sequence[str] = ()) -> Repeated:
    """The command of a capture, in a tree that was built again.

    Args:
        environment: of the capture.
        tree: where it was built.
        extra: further arguments. One that gives an option whose value was masked takes its place.

    Raises:
        Conflict: it cannot be started again: it was typed at a prompt or in a notebook, its script is
            outside of the tree, or an argument was a secret and `extra` does not give it.
        Invalid: the environment is not one of a capture.
    """
    told = environment.get("command")
    if not isinstance(told, Mapping) or not isinstance(told.get("entry"), Mapping):
        raise Invalid.field("environment", "does not tell what was started; it is not of a capture")
    words = [
        *map(str, told.get("interpreter", ())),
        *_entry(told["entry"], tree),
        *_arguments(told.get("arguments", ()), tree, extra),
        *extra,
    ]
    folder = told.get("folder")
    return Repeated(
        words=tuple(words),
        folder=tree if folder is None else tree / _word(folder, tree),
        variables={
            name: str(value) for name, value in environment.get("variables", {}).items() if name in REPEATED
        },
    )


def _entry(entry: Mapping[str, Any], tree: Path) -> list[str]:
    match entry.get("kind"):
        case "script":
            return [str(tree / _word(entry["path"], tree))]
        case "module":
            return ["-m", str(entry["name"])]
        case "program":
            return ["-c", _call(str(entry.get("name")), str(entry.get("target")))]
        case "outside":
            raise Conflict(f"the run was started by {entry.get('path')}, which is outside of its tree")
    raise Conflict("the run was started at a prompt or in a notebook: there is no command to repeat")


def _call(name: str, target: str) -> str:
    """Does what the command of a package does, wherever its interpreter has its commands."""
    match = _TARGET.match(target)
    if match is None:
        raise Invalid.field("environment", f"{target!r} is no entry point")
    called = match["called"]
    return (
        f"import sys; sys.argv[0] = {name!r}; from {match['module']} import {called.partition('.')[0]}; "
        f"sys.exit({called}())"
    )


def _arguments(told: Sequence[Any], tree: Path, extra: Sequence[str]) -> Iterator[str]:
    """The arguments, without those that were secret and are given again."""
    words = list(told)
    for index, argument in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else None
        if _is_masked(argument):
            before = words[index - 1] if index and not argument["masked"] else argument["masked"]
            if not isinstance(before, str) or not _is_given(before, extra):
                shown = before if isinstance(before, str) else ""
                raise Conflict(
                    f"an argument held a secret, which is not kept: {shown}***; give it again behind --"
                )
        elif not (_is_bare_mask(following) and isinstance(argument, str) and _is_given(argument, extra)):
            yield _word(argument, tree)


def _is_masked(argument: Any) -> bool:
    return isinstance(argument, Mapping) and "masked" in argument


def _is_bare_mask(argument: Any) -> bool:
    return _is_masked(argument) and not argument["masked"]


def _is_given(option: str, extra: Sequence[str]) -> bool:
    name = option.rstrip("=:")
    return bool(name) and any(word == name or word.startswith((f"{name}=", f"{name}:")) for word in extra)


def _word(argument: Any, tree: Path) -> str:
    match argument:
        case str():
            return argument
        case {"bytes": str(text)}:
            return os.fsdecode(base64.b64decode(text))
        case {"before": str(before), "tree": str(path)}:
            return f"{before}{tree / path}"
    raise Invalid.field("arguments", f"{argument!r} is no argument")


def differing(environment: Mapping[str, Any], present: Mapping[str, str]) -> list[Differing]:
    """The packages that are not as they were.

    Args:
        environment: of the capture.
        present: version by name.
    """
    recorded = {_plain(name): (name, version) for name, version in environment.get("packages", {}).items()}
    now = {_plain(name): (name, version) for name, version in present.items()}
    found = []
    for key in sorted(recorded.keys() | now.keys()):
        name, before = recorded.get(key, (None, None))
        name_now, after = now.get(key, (None, None))
        if before != after:
            found.append(Differing(name or name_now or key, before, after))
    return found


def requirements(environment: Mapping[str, Any], tree: Path) -> tuple[list[str], list[str]]:
    """What an installer needs to be told to have the recorded packages, and names of those of which nobody
    can know where they came from.

    Args:
        environment: of the capture.
        tree: where it was built.
    """
    lines, unknown = [], []
    origins = environment.get("origins", {})
    for name, version in environment.get("packages", {}).items():
        origin = origins.get(name, {})
        url, commit = str(origin.get("url", "")), origin.get("commit")
        if "tree" in origin:
            place = str(tree / str(origin["tree"]))
            lines.append(f"-e {place}" if origin.get("editable") else place)
        elif url == "file:" or "***" in url:
            unknown.append(name)
        elif url:
            lines.append(f"{name} @ git+{url}@{commit}" if commit else f"{name} @ {url}")
        elif _plain(name) != "pip":
            lines.append(f"{name}=={version}")
    return lines, unknown


def _plain(name: str) -> str:
    """As PEP 503 compares names."""
    return name.lower().replace("_", "-").replace(".", "-")
