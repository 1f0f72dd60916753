"""The house keeps its rules, and every rule bites: each is fed a snippet that breaks it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture import rules
from tests.architecture.rules import Source
from tracker.domain.frozen import Frozen

ROOT = Path(__file__).resolve().parents[2]
CODE = ("tracker", "entrypoints", "alembic")


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


def all_but_settings(found: Iterable[Source]) -> Iterator[Source]:
    return (source for source in found if source.path != "tracker/settings.py")


RULES: dict[Callable[..., Iterator[str]], tuple[Callable[[], Iterable[Source]], Source]] = {
    rules.short_files: (
        lambda: sources(*CODE, "tests", "benchmarks", "examples"),
        Source("tracker/long.py", "x = 1\n" * 401),
    ),
    rules.short_functions: (
        lambda: sources("tracker", "entrypoints"),
        Source("tracker/long.py", "def f():\n" + "    x = 1\n" * 40),
    ),
    rules.plain_module_names: (
        lambda: sources(*CODE, "tests", "benchmarks"),
        Source("tracker/adapters/sql_utils.py", ""),
    ),
    rules.ports_have_no_bodies: (
        lambda: sources("tracker/ports"),
        Source("tracker/ports/p.py", "class P:\n    def get(self):\n        'Doc.'\n        return 1\n"),
    ),
    rules.ports_are_documented: (
        lambda: sources("tracker/ports"),
        Source("tracker/ports/p.py", "class P(Protocol):\n    'Doc.'\n    def get(self): ...\n"),
    ),
    rules.environment_is_left_alone: (
        lambda: all_but_settings(sources("tracker", "entrypoints", "alembic")),
        Source("tracker/x.py", "import os\nhome = os.environ['HOME']\n"),
    ),
    rules.nothing_runs_text: (
        lambda: sources(*CODE),
        Source("tracker/x.py", "import subprocess\nsubprocess.run('ls', shell=True)\n"),
    ),
    rules.values_are_frozen: (
        lambda: sources("tracker/domain"),
        Source("tracker/domain/x.py", "class X(Frozen):\n    tags: list[str]\n"),
    ),
    rules.tests_assert_no_time: (
        lambda: sources("tests"),
        Source(
            "tests/t.py",
            "def test_x():\n    a = perf_counter()\n    b = perf_counter() - a\n    assert b < 1\n",
        ),
    ),
    partial(rules.strategies_name_every_field, fields=entity_fields()): (
        lambda: sources("tests"),
        Source("tests/strategies.py", "st.builds(Project, id=ids)\n"),
    ),
    rules.nothing_names_a_machine: (
        tracked_texts,
        Source("docs/x.md", "see /" + "home/ann/x\n"),
    ),
}


def name_of(rule: Callable[..., Iterator[str]]) -> str:
    return rule.func.__name__ if isinstance(rule, partial) else rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_the_house_keeps(rule: Callable[..., Iterator[str]]) -> None:
    subject, _ = RULES[rule]
    assert [problem for source in subject() for problem in rule(source)] == []


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
