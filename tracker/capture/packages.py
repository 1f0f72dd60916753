"""Which packages and which Python a run had."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tracker.capture.confidential import without_password

__all__ = ["packages", "python"]

_FIELD = re.compile(r"^(name|version)[ \t]*:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)


def python() -> dict[str, str]:
    """The interpreter."""
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "build": " ".join(platform.python_build()),
    }


def packages(root: Path) -> dict[str, dict[str, Any]]:
    """``packages``: version by name; ``origins``: of those that came from no index by name their ``url``
    without credentials, ``commit``, ``editable``, and ``tree``, the folder in the tree they come from.

    Args:
        root: the tree.
    """
    found: dict[str, dict[str, Any]] = {}
    for package in _readable(metadata.distributions()):
        found.setdefault(package["name"].lower().replace("_", "-"), package)
    ordered = [found[key] for key in sorted(found)]
    places = {package["name"]: _place(package["origin"], root) for package in ordered}
    return {
        "packages": {package["name"]: package["version"] for package in ordered},
        "origins": {name: place for name, place in places.items() if place},
    }


def _readable(distributions: Iterator[metadata.Distribution] | Any) -> Iterator[dict[str, Any]]:
    """What can be told of each, the one that is imported first; half-removed ones are passed over."""
    for distribution in distributions:
        try:
            name, version = _name_and_version(distribution)
            origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        except Exception:  # noqa: S112  (whatever is wrong with one, the others can be told)
            continue
        if name and version:
            yield {"name": name, "version": version, "origin": origin if isinstance(origin, dict) else {}}


def _name_and_version(distribution: metadata.Distribution) -> tuple[str, str]:
    """As ``distribution.metadata`` has them, which parses a whole page of description for them: of a
    hundred packages in a tenth of a second, which the training would wait for.
    """
    texts = (distribution.read_text(file) for file in ("METADATA", "PKG-INFO", ""))
    headers = next(filter(None, texts), "").partition("\n\n")[0]
    fields: dict[str, str] = {}
    for field, value in _FIELD.findall(headers):
        fields.setdefault(field.lower(), value)
    return fields.get("name", ""), fields.get("version", "")


def _place(origin: dict[str, Any], root: Path) -> dict[str, Any]:
    url = str(origin.get("url", ""))
    if not url:
        return {}
    place: dict[str, Any] = {}
    if url.startswith("file:"):
        folder = Path(unquote(urlsplit(url).path))
        if folder.is_relative_to(root):
            place["tree"] = folder.relative_to(root).as_posix()
        place["url"] = "file:"  # where on that machine, is nobody's business
    else:
        place["url"] = without_password(url)
    commit = (origin.get("vcs_info") or {}).get("commit_id")
    if commit:
        place["commit"] = str(commit)
    if (origin.get("dir_info") or {}).get("editable"):
        place["editable"] = True
    return place
