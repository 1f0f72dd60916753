"""A tree is built again as it was, inside of its folder, or not at all."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dirty_repositories import tree_of
from tracker.capture import CapturedFile
from tracker.capture.naming import Names
from tracker.capture.rebuilding import Tree, rebuild
from tracker.domain.errors import Conflict, Invalid, Unavailable

BLOBS: dict[str, bytes] = {}


def entry(path: str, content: bytes = b"x", mode: int = 0o644, *, link: bool = False) -> CapturedFile:
    digest = hashlib.sha256(content).hexdigest()
    BLOBS[digest] = content
    return CapturedFile(path, digest, len(content), mode, link)


def fetch(digest: str, to: Path) -> None:
    to.write_bytes(BLOBS[digest])


PARTS = st.text(
    st.characters(exclude_characters="/", exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=5
).filter(lambda part: part not in (".", "..") and part.lower() != ".git" and part.isprintable())
CONTENTS = st.one_of(st.binary(max_size=9), st.sampled_from([b"same", b"content"]))
FILES = st.dictionaries(
    st.lists(PARTS, min_size=1, max_size=3).map("/".join), st.tuples(CONTENTS, st.booleans()), max_size=8
)


def beside_each_other(paths: Iterable[str]) -> bool:
    found = set(paths)
    return not any(path.startswith(f"{other}/") for path in found for other in found)


@given(files=FILES.filter(beside_each_other))
def test_every_file_comes_back(files: Mapping[str, tuple[bytes, bool]]) -> None:
    names = Names()
    entries = [
        entry(names.kept(path), content, 0o755 if runs else 0o644) for path, (content, runs) in files.items()
    ]
    with TemporaryDirectory() as folder:
        done = rebuild(Tree(entries, names=names.escaped), fetch, Path(folder) / "to")
        found = tree_of(Path(folder) / "to")
    assert found == {path: ("file", *node) for path, node in files.items()}
    assert (done.files, done.size) == (len(files), sum(len(content) for content, _ in files.values()))


@given(paths=st.lists(st.lists(PARTS | st.just("a\nb"), min_size=1, max_size=3).map("/".join), unique=True))
def test_no_two_paths_are_kept_alike(paths: list[str]) -> None:
    names = Names()
    kept = [names.kept(path) for path in paths]
    assert len(set(kept)) == len(paths)
    assert [names.kept(path) for path in paths] == kept


@pytest.mark.parametrize(
    "path", ["../out", "/out", "a/../../out", "a//b", "./a", "a/.", "", "..", ".git/config",
    "a/.GIT/hooks/x", "a\0b"]
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        rebuild(Tree([entry("good"), entry(path)]), fetch, tmp_path / "to")
    with pytest.raises(Invalid):
        rebuild(Tree([entry("good")], folders=[path]), fetch, tmp_path / "to")
    with pytest.raises(Invalid):
        hidden = {"harmless": base64.b64encode(path.encode()).decode()}
        rebuild(Tree([entry("harmless")], names=hidden), fetch, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    "entries",
    [
        [entry("a", b"/tmp", link=True), entry("a/b")],
        [entry("a"), entry("a/b/c")],
        [entry("a"), entry("a", b"y")],
    ],
    ids=["through a link", "through a file", "twice"],
)
def test_files_that_cannot_stand_together_are_refused(entries: list[CapturedFile], tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        rebuild(Tree(entries), fetch, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_an_empty_folder_is_not_made_behind_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    tree = Tree([entry("a", os.fsencode(outside), link=True)], folders=["a/b"])
    with pytest.raises(Invalid):
        rebuild(tree, fetch, tmp_path / "to")
    assert not list(outside.iterdir())


def test_links_are_written_as_they_are_and_not_through(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").symlink_to(outside)
    rebuild(
        Tree([entry("a", b"new"), entry("b", b"../outside.txt", link=True)]),
        fetch,
        tmp_path / "to",
        force=True,
    )
    assert outside.read_text() == "mine"
    assert (tmp_path / "to" / "a").read_bytes() == b"new"
    assert not (tmp_path / "to" / "a").is_symlink()
    assert (tmp_path / "to" / "b").readlink() == Path("../outside.txt")


def test_a_link_that_was_there_is_not_gone_through(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(Conflict, match="no folder"):
        rebuild(Tree([entry("a/b")]), fetch, tmp_path / "to", force=True)
    assert not list((tmp_path / "outside").iterdir())


def test_a_folder_with_something_in_it_is_left_alone_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(Conflict, match="--force"):
        rebuild(Tree([entry("a")]), fetch, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    rebuild(Tree([entry("a"), entry("mine", b"theirs")]), fetch, tmp_path, force=True)
    assert tree_of(tmp_path) == {"a": ("file", b"x", False), "mine": ("file", b"theirs", False)}


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(Conflict, match="in the place of 'a'"):
        rebuild(Tree([entry("a")]), fetch, tmp_path, force=True)


def test_a_file_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "to").write_text("")
    with pytest.raises(Conflict, match="is a file"):
        rebuild(Tree([entry("a")]), fetch, tmp_path / "to")


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (lambda digest, to: to.write_bytes(b"other"), "not what its digest says"),
        (lambda digest, to: to.write_bytes(b""), "not what its digest says"),
    ],
)
def test_damaged_content_is_noticed_and_not_put_in_place(
    spoiled: Callable[[str, Path], None], why: str, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match=why):
        rebuild(Tree([entry("a"), entry("b")]), spoiled, tmp_path / "to")
    assert tree_of(tmp_path / "to") == {}


def test_a_size_that_is_another_is_noticed(tmp_path: Path) -> None:
    good = entry("a", b"xyz")
    with pytest.raises(Invalid, match="size"):
        rebuild(Tree([CapturedFile("a", good.digest, 2, 0o644, link=False)]), fetch, tmp_path / "to")


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "Z" * 64 + "/", "0" * 63])
def test_a_digest_that_is_none_is_refused(digest: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="SHA-256"):
        rebuild(Tree([CapturedFile("a", digest, 1, 0o644, link=False)]), fetch, tmp_path / "to")


def test_what_fails_midway_leaves_whole_files_alone(tmp_path: Path) -> None:
    def breaks(digest: str, to: Path) -> None:
        if BLOBS[digest] == b"second":
            to.write_bytes(b"sec")
            raise Unavailable("the server went away")
        fetch(digest, to)

    with pytest.raises(Unavailable, match="went away"):
        rebuild(Tree([entry("a", b"first"), entry("b", b"second")]), breaks, tmp_path / "to")
    assert tree_of(tmp_path / "to") == {"a": ("file", b"first", False)}


def test_a_content_is_fetched_once_and_progress_is_told(tmp_path: Path) -> None:
    asked: list[str] = []
    steps: list[int] = []

    def counted(digest: str, to: Path) -> None:
        asked.append(digest)
        fetch(digest, to)

    entries = [entry(f"{number}", b"alike", 0o755 if number % 2 else 0o644) for number in range(5)]
    rebuild(Tree(entries), counted, tmp_path / "to", advance=steps.append)
    assert len(asked) == 1
    assert sum(steps) == 5
    assert {path: node[2] for path, node in tree_of(tmp_path / "to").items()} == {
        "0": False, "1": True, "2": False, "3": True, "4": False,
    }  # fmt: skip
