"""Ignore files mean here what they mean to git."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.dirty_repositories import git
from tracker.capture.ignoring import IgnoreRules

PARTS = st.text(st.sampled_from("ab.-"), min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
PIECES = st.sampled_from(
    ["a", "b", ".", "-", "*", "**", "?", "[ab]", "[!a]", "[a-b]", "/", "\\a", "/**/", "**/"]
)
LINES = st.one_of(
    st.lists(PIECES, min_size=1, max_size=6).map("".join),
    st.lists(PIECES, min_size=1, max_size=4).map(lambda parts: "!" + "".join(parts)),
    st.lists(PIECES, min_size=1, max_size=4).map(lambda parts: "".join(parts) + "/"),
    st.sampled_from(["", "# a", "a ", "a\\ ", "\\!a", "\\#a", "/", "!"]),
)
# "Other consecutive asterisks are considered regular asterisks", says gitignore(5). Some versions of git
# compare unrelated addresses there, so that what they do depends on the weather.
_LOOSE_ASTERISKS = re.compile(r"[^/*]\*\*|\*\*[^/*]")


def is_defined(line: str) -> bool:
    return not _LOOSE_ASTERISKS.search(line.removeprefix("!"))


@pytest.fixture(scope="module")
def repository() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        git(Path(folder), "init", "-q")
        yield Path(folder)


def ignored_by_git(root: Path, paths: list[str]) -> set[str]:
    done = subprocess.run(
        ["git", "-C", root, "check-ignore", "--no-index", "-z", "--stdin"],
        input="".join(f"{path}\0" for path in paths).encode(), capture_output=True, check=False,
    )  # fmt: skip
    return set(filter(None, done.stdout.decode().split("\0")))


@given(
    lines=st.lists(LINES.filter(is_defined), max_size=5),
    inner=st.lists(LINES.filter(is_defined), max_size=3),
    paths=st.lists(PATHS, min_size=1, max_size=9),
)
@example(lines=["a/**"], inner=[], paths=["a/b", "a"])
@example(lines=["**/a"], inner=[], paths=["a", "b/a", "b/a/b"])
@example(lines=["a/**/b"], inner=[], paths=["a/b", "a/-/b", "a/-/-/b"])
@example(lines=["a", "!/**"], inner=[], paths=["a/a", "a"])
@example(lines=["*", "!a"], inner=[], paths=["a", "b", "b/a"])
@example(lines=["a"], inner=["!a"], paths=["a/a", "b/a", "a"])
def test_what_git_ignores_is_ignored(
    lines: list[str], inner: list[str], paths: list[str], repository: Path
) -> None:
    (repository / "a").mkdir(exist_ok=True)
    (repository / ".gitignore").write_text("\n".join(lines))
    (repository / "a" / ".gitignore").write_text("\n".join(inner))

    rules = IgnoreRules(repository, (".gitignore",))

    found = {path for path in paths if rules.excludes(path)}
    # What is there as a folder is none of the files that are asked for here.
    assert found - {"a"} == ignored_by_git(repository, paths) - {"a"}, (lines, inner, paths)
