"""The house keeps its rules, and every rule bites: each is fed a snippet that breaks it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.rules import Source
from tracker.domain.frozen import Frozen

ROOT = Path(__file__).resolve().parents[2]
CODE = ("tracker", "entrypoints", "alembic")
FOLDERS = (*CODE, "tests", "benchmarks", "examples")


def sources(*folders: str) -> Iterator[Source]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source.read(ROOT, path)


def tracked_texts() -> Iterator[Source]:
    """Every tracked text file; without git (an unpacked archive), the code alone."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        yield from sources(*CODE, "tests")
        return
    for name in filter(None, listing.stdout.decode().split("\0")):
        try:
            yield Source.read(ROOT, ROOT / name)
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def entity_fields() -> dict[str, frozenset[str]]:
    for source in sources("tracker/domain"):
        import_module(source.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    return {kind.__name__: frozenset(kind.model_fields) for kind in Frozen.__subclasses__()}


def within(*folders: str, but: str = "") -> Callable[[str], bool]:
    return lambda path: path.startswith(tuple(f"{folder}/" for folder in folders)) and path != but


RULES: dict[Callable[..., Iterator[str]], tuple[Callable[[str], bool], Source]] = {
    rules.short_files: (
        within(*FOLDERS),
        Source("tracker/long.py", "x = 1\n" * 401),
    ),
    rules.short_functions: (
        within("tracker", "entrypoints"),
        Source("tracker/long.py", "def f():\n" + "    x = 1\n" * 40),
    ),
    rules.plain_module_names: (
        within(*CODE, "tests", "benchmarks"),
        Source("tracker/adapters/sql_utils.py", ""),
    ),
    rules.ports_have_no_bodies: (
        within("tracker/ports"),
        Source("tracker/ports/p.py", "class P:\n    def get(self):\n        'Doc.'\n        return 1\n"),
    ),
    rules.ports_are_documented: (
        within("tracker/ports"),
        Source("tracker/ports/p.py", "class P(Protocol):\n    'Doc.'\n    def get(self): ...\n"),
    ),
    rules.environment_is_left_alone: (
        within(*CODE, but="tracker/settings.py"),
        Source("tracker/x.py", "import os\nhome = os.environ['HOME']\n"),
    ),
    rules.nothing_runs_text: (
        within(*CODE),
        Source("tracker/x.py", "import subprocess\nsubprocess.run('ls', shell=True)\n"),
    ),
    rules.values_are_frozen: (
        within("tracker/domain"),
        Source("tracker/domain/x.py", "class X(Frozen):\n    tags: list[str]\n"),
    ),
    rules.tests_assert_no_time: (
        within("tests"),
        Source(
            "tests/t.py",
            "def test_x():\n    a = perf_counter()\n    b = perf_counter() - a\n    assert b < 1\n",
        ),
    ),
    partial(rules.strategies_name_every_field, fields=entity_fields()): (
        within("tests"),
        Source("tests/strategies.py", "st.builds(Project, id=ids)\n"),
    ),
    rules.nothing_names_a_machine: (
        lambda path: True,
        Source("docs/x.md", "see /" + "home/ann/x\n"),
    ),
}
"""Where each rule holds, and what breaks it."""


def name_of(rule: Callable[..., Iterator[str]]) -> str:
    return rule.func.__name__ if isinstance(rule, partial) else rule.__name__


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_house_keeps_its_rules(folder: str) -> None:
    found = [
        problem
        for source in sources(folder)
        for rule, (holds, _) in RULES.items()
        if holds(source.path)
        for problem in rule(source)
    ]
    assert found == []


def test_no_text_names_a_machine() -> None:
    found = [problem for source in tracked_texts() for problem in rules.nothing_names_a_machine(source)]
    assert found == []


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_there_is_what_this_rule_is_for(rule: Callable[..., Iterator[str]]) -> None:
    holds, _ = RULES[rule]
    assert any(holds(source.path) for folder in FOLDERS for source in sources(folder))


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_this_rule_bites(rule: Callable[..., Iterator[str]]) -> None:
    _, violation = RULES[rule]
    assert list(rule(violation)), violation.text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (rules.environment_is_left_alone, "from os import getenv\n"),
        (rules.nothing_runs_text, "import pickle\n"),
        (rules.nothing_runs_text, "from pickle import loads\n"),
        (rules.nothing_runs_text, "eval('1')\n"),
        (rules.values_are_frozen, "class X(BaseModel):\n    name: str\n"),
        (rules.nothing_names_a_machine, "https://files.python" + "hosted.org/x.whl\n"),
        (rules.ports_are_documented, "class P(Protocol):\n    x: int\n"),
    ],
    ids=["getenv", "pickle", "from-pickle", "eval", "base-model", "registry", "undocumented-port"],
)
def test_a_rule_also_catches(rule: Callable[..., Iterator[str]], text: str) -> None:
    assert list(rule(Source("tracker/x.py", text)))


def test_no_folder_of_migrations_shadows_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
