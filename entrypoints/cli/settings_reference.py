"""The reference page of the settings, made from the settings themselves.

Run ``python -m entrypoints.cli.settings_reference > docs/reference/settings.md`` after a change; a test
compares.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from tracker.settings import VARIABLES, Settings

__all__ = ["settings_markdown"]

_INTRODUCTION = """\
# Settings

Made from `tracker/settings.py` by `python -m entrypoints.cli.settings_reference`; change that, not this page.

Each is an environment variable, or a line `NAME=value` of a file `.env` in the working folder; the
environment wins. An empty one is one that is not set. Lists stand between commas. `--data DIR` of a command
wins over `TRACKER_DATA`, and puts the database into that folder unless `DATABASE_URL` names another.

| Variable | Default | |
| --- | --- | --- |
"""
_ENTRY = re.compile(r"^ {4}(\w+): (.*(?:\n {6,}.*)*)", re.MULTILINE)


def settings_markdown() -> str:
    """The whole page."""
    told = _descriptions()
    rows = (f"| `{name}` | {_default(field)} | {told[field]} |\n" for name, field in VARIABLES.items())
    return _INTRODUCTION + "".join(rows)


def _descriptions() -> Mapping[str, str]:
    """What the docstrings of the class and its parents say of each field."""
    texts = (inspect.cleandoc(kind.__doc__ or "").partition("Attributes:")[2] for kind in Settings.__mro__)
    entries = (entry for text in texts for entry in _ENTRY.findall(text))
    found = {name: " ".join(text.split()).replace("``", "`") for name, text in entries}
    return {name: text[:1].upper() + text[1:].replace("|", "\\|") for name, text in found.items()}


def _default(field: str) -> str:
    value = Settings.model_fields[field].default
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, bool):
        value = "on" if value else "off"
    return "" if value is None or value == "" else f"`{value}`"


if __name__ == "__main__":
    print(settings_markdown(), end="")  # noqa: T201 - it is the page
