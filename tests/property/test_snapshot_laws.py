"""Trees of files: which paths are safe, and what a manifest is."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import a_file, a_project, a_snapshot, an_artifact, an_experiment
from tracker.domain.artifacts.digest import digest_of
from tracker.domain.artifacts.snapshot import EXECUTABLE, PLAIN, Manifest, SnapshotFile
from tracker.domain.errors import Invalid

PARTS = st.text("ab./\\:~ C\x00é\ud800", min_size=0, max_size=8) | st.sampled_from(["..", ".", "", "C:"])
PATHS = st.lists(PARTS, max_size=5).map("/".join)
NAMES = st.text("abé. -", min_size=1, max_size=4).filter(lambda part: part not in (".", ".."))
SAFE = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
digests = st.binary(max_size=3).map(digest_of)
RUN = an_experiment(a_project())


@st.composite
def trees(draw: st.DrawFn) -> list[SnapshotFile]:
    """Files that can stand beside each other."""
    paths = draw(st.lists(SAFE, max_size=8, unique=True))
    folders = {parent for path in paths for parent in above(path)}
    return [
        SnapshotFile(
            path=path,
            digest=draw(digests),
            size=draw(st.integers(0, 2**63 - 1)),
            mode=draw(st.sampled_from([PLAIN, EXECUTABLE])),
            link=draw(st.booleans()),
        )
        for path in paths
        if path not in folders
    ]


def above(path: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(path).parents][:-1]


@given(PATHS | SAFE)
def test_a_path_that_is_taken_stays_below_any_folder_on_any_system(path: str) -> None:
    try:
        taken = a_file(path).path
    except Invalid:
        return
    assert taken == path
    assert posixpath.normpath(posixpath.join("/some/root", path)) == f"/some/root/{path}"
    on_windows = PureWindowsPath(path)
    assert not on_windows.drive and not on_windows.root and ".." not in on_windows.parts
    path.encode()
    assert "\x00" not in path


@given(SAFE)
def test_a_relative_path_of_plain_names_is_taken(path: str) -> None:
    assert a_file(path).path == path
    assert an_artifact(RUN, name=path).name == path


@pytest.mark.parametrize("length", [500, 501])
def test_a_name_has_at_most_500_characters(length: int) -> None:
    name = "ü" * length
    if length <= 500:
        assert an_artifact(RUN, name=name).name == name
    else:
        with pytest.raises(Invalid, match="name"):
            an_artifact(RUN, name=name)


@given(trees(), st.randoms(use_true_random=False))
def test_a_manifest_does_not_depend_on_the_order_of_its_files(files: list[SnapshotFile], random) -> None:
    mixed = list(files)
    random.shuffle(mixed)
    one, other = Manifest(files=tuple(files)), Manifest(files=tuple(mixed))
    assert one == other
    assert one.digest == other.digest
    assert [file.path for file in one.files] == sorted(file.path for file in files)


@given(trees())
def test_a_manifest_is_read_back_from_its_text(files: list[SnapshotFile]) -> None:
    manifest = Manifest(files=tuple(files))
    assert Manifest.parse(manifest.text) == manifest
    assert manifest.size == sum(file.size for file in files)
    assert a_snapshot(RUN, *files).manifest == manifest


@given(trees(), trees())
def test_manifests_have_one_digest_exactly_if_they_have_the_same_files(
    some: list[SnapshotFile], others: list[SnapshotFile]
) -> None:
    one, other = Manifest(files=tuple(some)), Manifest(files=tuple(others))
    assert (one.digest == other.digest) == (one == other)


@given(trees().filter(bool), st.data())
def test_a_file_twice_or_one_below_another_is_refused(files: list[SnapshotFile], data: st.DataObject) -> None:
    victim = data.draw(st.sampled_from(files)).path
    for path in (victim, f"{victim}/below", f"{victim}/far/below"):
        with pytest.raises(Invalid, match="files"):
            Manifest(files=(*files, a_file(path)))
