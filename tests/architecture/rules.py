"""The house rules that no linter knows. Each takes parsed source and gives what breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

BANNED_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "base", "manager", "dto"})
FILE_LIMIT, TEST_FILE_LIMIT, FUNCTION_LIMIT = 400, 600, 40
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Split, so that this file does not break its own rule.
MACHINE_PATH = re.compile("/" + r"(?:root|home)/\w")
REGISTRY_HOST = re.compile(r"pythonhosted[.]org|index-[u]rl|/simple/?[\"'\s]|find-[l]inks", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """One Python file: where it is in the repository, and what it says."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @classmethod
    def read(cls, root: Path, path: Path) -> Source:
        return cls(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))


def short_files(source: Source) -> Iterator[str]:
    limit = TEST_FILE_LIMIT if source.path.startswith("tests/") else FILE_LIMIT
    lines = source.text.count("\n")
    if lines > limit:
        yield f"{source.path}: {lines} lines, {limit} are allowed"


def short_functions(source: Source) -> Iterator[str]:
    """Counts from `def` to the end without the docstring, which may be as long as it needs."""
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            if lines > FUNCTION_LIMIT:
                yield f"{source.path}:{node.lineno}: {node.name}: {lines} lines > {FUNCTION_LIMIT}"


def plain_module_names(source: Source) -> Iterator[str]:
    for part in Path(source.path).with_suffix("").parts:
        if BANNED_NAMES & set(part.lower().split("_")):
            yield f"{source.path}: {part!r} says nothing of what is inside"


def ports_have_no_bodies(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTIONS):
            rest = [part for part in node.body if not _is_constant(part)]
            if rest:
                yield f"{source.path}:{node.lineno}: {node.name} has a body"


def ports_are_documented(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef) or "Protocol" not in {_name(base) for base in node.bases}:
            continue
        members = [
            part for part in node.body if isinstance(part, FUNCTIONS) and not part.name.startswith("_")
        ]
        for part in (node, *members):
            if not ast.get_docstring(part):
                yield f"{source.path}:{part.lineno}: {part.name} has no contract"


def environment_is_left_alone(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}:
            if _name(node.value) == "os":
                yield f"{source.path}:{node.lineno}: reads os.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            names = {alias.name for alias in node.names} & {"environ", "environb", "getenv"}
            if names:
                yield f"{source.path}:{node.lineno}: imports {', '.join(sorted(names))} from os"


def nothing_runs_text(source: Source) -> Iterator[str]:
    """No pickle, eval, exec or shell: none of them is safe on what users send."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            for name in sorted(names & {"pickle", "cPickle", "dill", "marshal", "shelve"}, key=str):
                yield f"{source.path}:{node.lineno}: imports {name}"
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}:
                yield f"{source.path}:{node.lineno}: calls {node.func.id}"
            for word in node.keywords:
                risky = {"shell": True, "allow_pickle": True}
                if word.arg in risky and not _is_constant_of(word.value, False):
                    yield f"{source.path}:{node.lineno}: passes {word.arg}"


def values_are_frozen(source: Source) -> Iterator[str]:
    """In the domain: a pydantic class derives from Frozen, and no field holds a list, dict or set."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {_name(base) for base in node.bases}
        if "BaseModel" in bases and node.name != "Frozen":
            yield f"{source.path}:{node.lineno}: {node.name} is a BaseModel, not a Frozen"
        for part in node.body:
            if isinstance(part, ast.AnnAssign):
                used = {_name(inner) for inner in ast.walk(part.annotation)}
                for kind in sorted(used & {"list", "dict", "set", "List", "Dict", "Set"}):
                    yield f"{source.path}:{part.lineno}: {node.name} holds a {kind}"


def tests_assert_no_time(source: Source) -> Iterator[str]:
    """A name bound to a clock's reading, or to a difference of two, may not stand in an assert."""
    clocks = {"perf_counter", "monotonic", "process_time", "perf_counter_ns", "monotonic_ns", "thread_time"}
    for function in (node for node in ast.walk(source.tree) if isinstance(node, FUNCTIONS)):
        timed: set[str] = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and (_names(node.value) & (clocks | timed)):
                timed |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assert) and _names(node.test) & (clocks | timed):
                yield f"{source.path}:{node.lineno}: asserts time"


def strategies_name_every_field(source: Source, fields: dict[str, frozenset[str]]) -> Iterator[str]:
    """``st.builds(Entity, ...)`` leaves arguments with defaults out unless they are named."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _name(node.func) == "builds" and node.args:
            entity = _name(node.args[0])
            missing = fields.get(entity, frozenset()) - {word.arg for word in node.keywords}
            if missing:
                yield f"{source.path}:{node.lineno}: builds({entity}) leaves out {', '.join(sorted(missing))}"


def nothing_names_a_machine(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{source.path}:{number}: a folder of some machine"
        if REGISTRY_HOST.search(line):
            yield f"{source.path}:{number}: a host of a registry"


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _names(node: ast.AST) -> set[str]:
    return {_name(inner) for inner in ast.walk(node)} - {""}


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_constant_of(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value
