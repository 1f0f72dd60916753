"""A real dataset that is on every machine: what the standard library's authors wrote about their functions.

The text behind the first line of a docstring is the example, that line is its summary: the ground truth.
The documentation of Python is under the PSF License Agreement, https://docs.python.org/3/license.html.
"""

from __future__ import annotations

import ast
import inspect
import json
import sysconfig
from collections.abc import Iterator
from pathlib import Path

__all__ = ["LICENSE", "SOURCE", "docstring_rows", "write_docstrings"]

SOURCE = "docstrings of Python's standard library"
LICENSE = "PSF License Agreement, https://docs.python.org/3/license.html"

_MODULES = (
    "argparse", "ast", "bisect", "calendar", "cmd", "codecs", "collections", "configparser", "contextlib",
    "copy", "csv", "datetime", "difflib", "email", "enum", "fractions", "ftplib", "functools", "glob",
    "heapq", "http", "imaplib", "importlib", "inspect", "ipaddress", "json", "logging", "mailbox",
    "multiprocessing", "optparse", "os", "pathlib", "pickle", "pkgutil", "pprint", "random", "sched",
    "shutil", "smtplib", "socket", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap",
    "threading", "tokenize", "traceback", "typing", "unittest", "urllib", "uuid", "warnings", "zipfile",
)  # fmt: skip
_SHORTEST_WORDS = 15
_LONGEST_CHARS = 4000


def docstring_rows(most: int = 240) -> list[dict[str, str]]:
    """Rows with ``examples``, ``ground_truth`` and ``name``, the same ones each time.

    Args:
        most: how many; they are spread over all modules.
    """
    modules = [list(_of_module(name)) for name in _MODULES]
    rows: list[dict[str, str]] = []
    for place in range(max(map(len, modules))):
        rows += [found[place] for found in modules if place < len(found)]
    return rows[:most]


def write_docstrings(file: Path, most: int = 240) -> None:
    """Writes the rows as JSON Lines."""
    lines = [json.dumps(row, ensure_ascii=False) for row in docstring_rows(most)]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _of_module(name: str) -> Iterator[dict[str, str]]:
    """Those of one module's functions and classes; it is read, and not imported."""
    place = Path(sysconfig.get_path("stdlib")) / name
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):  # some distributions leave modules out
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        text = ast.get_docstring(node, clean=False)
        row = None if text is None else _row(inspect.cleandoc(text), f"{name}.{node.name}")
        if row is not None:
            yield row


def _row(text: str, name: str) -> dict[str, str] | None:
    """A docstring of a summary line and a body that is long enough to be summarised."""
    summary, gap, body = text.partition("\n\n")
    if not gap or "\n" in summary or ">>>" in body or len(body) > _LONGEST_CHARS:
        return None
    if len(summary.split()) < 3 or len(body.split()) < _SHORTEST_WORDS:
        return None
    return {"examples": body, "ground_truth": summary, "name": name}
