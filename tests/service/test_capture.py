"""What a capture takes, what it leaves out and why, and what it says of the surroundings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pytest

from tests.dirty_repositories import git
from tracker.capture import Captured, Limits, Reason, Started, capture, capture_apart
from tracker.capture.captured import Deadline
from tracker.capture.choosing import Listing
from tracker.capture.copying import copy_files
from tracker.capture.naming import Names

PLAIN = {"PATH": os.environ["PATH"]}


def caught(folder: Path, **more: object) -> Captured:
    environ = more.pop("environ", PLAIN)
    return capture(folder, environ=environ, staging=folder.parent / "staging", **more)  # type: ignore[arg-type]


def contents(captured: Captured) -> dict[str, bytes]:
    return {file.path: source.read_bytes() for file, source in captured.files}


def reasons(captured: Captured) -> dict[str, str]:
    return {each.path: each.reason for each in captured.left_out}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    return folder


@pytest.fixture
def repository(tree: Path) -> Path:
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-qm", "first")
    return tree


def test_what_is_larger_than_the_limit_is_left_out(tree: Path) -> None:
    (tree / "big").write_bytes(b"x" * 101)
    (tree / "fits").write_bytes(b"x" * 100)
    captured = caught(tree, limit=100)
    assert set(contents(captured)) == {"train.py", "fits"}
    assert reasons(captured) == {"big": Reason.TOO_LARGE}


def test_no_more_is_kept_in_all_than_allowed(tree: Path) -> None:
    for name in "abc":
        (tree / name).write_bytes(b"x" * 100)
    captured = caught(tree, limits=Limits(total=250))
    assert sum(file.size for file, _ in captured.files) <= 250
    assert reasons(captured) == {"c": Reason.FULL}


def test_no_more_files_are_kept_than_allowed_and_those_near_the_script_first(repository: Path) -> None:
    for number in range(30):
        (repository / f"a{number}").write_text("")
    (repository / "z").mkdir()
    (repository / "z" / "script.py").write_text("")
    captured = capture(
        repository / "z", environ=PLAIN, staging=repository.parent / "staging", limits=Limits(files=33)
    )
    assert len(captured.files) == 32
    few = capture(repository / "z", environ=PLAIN, staging=repository.parent / "few", limits=Limits(files=5))
    assert len(few.files) == 5
    assert "z/script.py" in contents(few)
    assert list(reasons(few).values()) == [Reason.TOO_MANY]


def test_a_huge_folder_without_git_ends_the_search(tree: Path) -> None:
    for outer in range(20):
        (tree / f"d{outer:02}").mkdir()
        for inner in range(10):
            (tree / f"d{outer:02}" / f"{inner}").write_text("")
    captured = caught(tree, limits=Limits(files=25))
    assert len(captured.files) == 25
    assert reasons(captured)["d19/"] == Reason.TOO_MANY


def test_time_that_is_over_ends_a_capture_and_is_told(repository: Path) -> None:
    captured = caught(repository, limits=Limits(seconds=0.0))
    assert captured.files == ()
    assert Reason.LATE in reasons(captured).values()


def test_a_file_that_changes_all_the_time_is_left_out(tree: Path, tmp_path: Path) -> None:
    (tree / "log").write_text("x")

    class Busy(Deadline):
        """Is asked between two pieces of a file; somebody writes to it then."""

        asked = 0

        @property
        def is_over(self) -> bool:
            self.asked += 1
            os.utime(tree / "log", ns=(self.asked, self.asked))
            return False

    listing = Listing(tree, ["log", "train.py"])
    made = copy_files(listing, Names(), tmp_path / "staging", Limits(), Busy(60))
    assert [(each.path, each.reason) for each in listing.left_out] == [("log", Reason.CHANGING)]
    assert [file.path for file, _ in made] == ["train.py"]
    assert len(list((tmp_path / "staging" / "blobs").iterdir())) == 1


def test_what_cannot_be_read_is_left_out(tree: Path) -> None:
    """A path that is too long for the system cannot be read by anybody, whoever runs the tests."""
    here = os.open(tree, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=here)
        inner = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    captured = caught(tree)
    assert set(contents(captured)) == {"train.py"}
    assert set(reasons(captured).values()) == {Reason.UNREADABLE}


def test_a_pipe_is_left_out_and_does_not_block(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert reasons(caught(tree)) == {"pipe": Reason.SPECIAL}


def test_secrets_can_be_asked_for_by_name_and_other_files_kept_out(tree: Path) -> None:
    (tree / ".env").write_text("A=1")
    (tree / "test.pem").write_text("public")
    (tree / "notes.txt").write_text("")
    (tree / ".trackerignore").write_text("!test.pem\nnotes.txt\n")
    captured = caught(tree)
    assert set(contents(captured)) == {"train.py", "test.pem", ".trackerignore"}
    assert reasons(captured) == {".env": Reason.SECRET, "notes.txt": Reason.IGNORED}


DATA = (
    "scalars/x.db",
    "scalars/x.db.lock",
    "journal/1/run.json",
    "blobs/ab/abc",
    "tracker.db",
    "tracker.db-wal",
)


@pytest.mark.parametrize("place", ["data", ".", "a/b"])
@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("has_git", [True, False])
def test_of_a_data_folder_what_is_trackers_is_left_out_and_no_more(
    place: str, is_told: bool, has_git: bool, repository: Path, tmp_path: Path
) -> None:
    mine = {
        f"{place}/{name}".removeprefix("./") for name in ("loader.py", "train.csv", "x.db", "other/scalars/y")
    }
    for name in (*mine, *(f"{place}/{name}" for name in DATA), "data.db", "data.db.lock", "data.db-shm"):
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text("")
    git(repository, "add", str(repository / place / "loader.py"))
    captured = caught(
        repository,
        excluded=[repository / place] if is_told else [],
        environ=PLAIN if has_git else {"PATH": str(tmp_path)},
    )
    assert set(contents(captured)) == {"train.py", *mine}
    assert set(reasons(captured).values()) == {Reason.DATA}


def test_a_database_that_is_told_is_left_out(tree: Path) -> None:
    for name in ("a.sqlite", "a.sqlite-wal", "b.sqlite"):
        (tree / name).write_text("")
    captured = caught(tree, excluded=[tree / "a.sqlite"])
    assert set(contents(captured)) == {"train.py", "b.sqlite"}


def test_without_git_a_repository_is_still_captured(repository: Path, tmp_path: Path) -> None:
    (repository / ".gitignore").write_text("*.log\n")
    (repository / "x.log").write_text("")
    captured = caught(repository, environ={"PATH": str(tmp_path)})
    assert set(contents(captured)) == {"train.py", ".gitignore"}
    assert captured.environment["git"] is None
    assert captured.diff is None


def test_a_repository_that_names_another_place_as_its_tree_is_not_believed(
    repository: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "private.txt").write_text("mine")
    git(repository, "config", "core.worktree", str(elsewhere))
    assert set(contents(caught(repository))) == {"train.py"}


def test_commit_branch_and_remote_are_told_without_credentials(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://me:secret@example.org/a.git")
    told = caught(repository).environment["git"]
    assert told["commit"] == git(repository, "rev-parse", "HEAD").strip()
    assert (told["branch"], told["remote"]) == ("main", "https://example.org/a.git")
    assert not told["dirty"]


def test_a_variable_that_points_git_elsewhere_is_not_heeded(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    captured = caught(
        repository, environ={**PLAIN, "GIT_DIR": str(other / ".git"), "GIT_INDEX_FILE": "/none"}
    )
    assert captured.environment["git"]["commit"] == git(repository, "rev-parse", "HEAD").strip()


def test_the_diff_makes_the_commit_into_what_is_on_disk(repository: Path, tmp_path: Path) -> None:
    for name, content in {"a.bin": bytes(range(256)), "b.txt": b"1\n2\n3\n", "c.txt": b"gone\n"}.items():
        (repository / name).write_bytes(content)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "second")
    (repository / "a.bin").write_bytes(bytes(range(255, -1, -1)))
    (repository / "b.txt").write_bytes(b"1\ntwo\n3")
    (repository / "c.txt").unlink()
    (repository / "train.py").touch()
    (repository / "train.py").chmod(0o755)
    (repository / "d é.txt").write_bytes(b"new\n")
    git(repository, "add", "d é.txt")
    captured = caught(repository)
    clean = tmp_path / "clean"
    git(repository, "worktree", "add", "-q", "--detach", str(clean))
    (tmp_path / "patch").write_text(captured.diff or "", newline="")
    git(clean, "apply", "--binary", str(tmp_path / "patch"))
    for name in ("a.bin", "b.txt", "train.py", "d é.txt"):
        assert (clean / name).read_bytes() == (repository / name).read_bytes()
    assert (clean / "train.py").stat().st_mode & 0o100
    assert not (clean / "c.txt").exists()


def test_a_file_that_was_only_touched_is_no_difference(repository: Path) -> None:
    os.utime(repository / "train.py", (1, 1))
    captured = caught(repository)
    assert captured.diff is None
    assert captured.environment["git"]["dirty"] is False


def test_a_diff_is_cut_between_files_and_shows_no_secret(repository: Path) -> None:
    for name in (".env", "a.txt", "b.txt", "key.txt", "gone.pem"):
        (repository / name).write_text("old secret\n" if name in (".env", "gone.pem") else "old\n")
    (repository / "key.txt").write_text("-----BEGIN PRIVATE KEY-----\nsecret\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "second")
    (repository / ".env").write_text("new secret\n")
    (repository / "key.txt").write_text("no secret in here any more\n")
    (repository / "gone.pem").unlink()
    (repository / "a.txt").write_text("new\n")
    (repository / "b.txt").write_text("much\n" * 1000)
    captured = caught(repository, limits=Limits(diff=2000))
    assert captured.diff is not None
    assert captured.diff.startswith("diff --git a/a.txt b/a.txt\n")
    assert captured.diff.endswith("+new\n")
    assert "secret" not in captured.diff
    assert captured.environment["git"]["diff_is_whole"] is False
    whole = caught_in(repository, "whole").diff
    assert whole is not None
    assert "much" in whole
    assert "secret" not in whole


def caught_in(folder: Path, staging: str) -> Captured:
    return capture(folder, environ=PLAIN, staging=folder.parent / staging)


def test_only_listed_variables_are_told(tree: Path) -> None:
    environ = {
        **PLAIN, "CUDA_VISIBLE_DEVICES": "0,1", "PYTHONHASHSEED": "7", "SLURM_JOB_ID": "12",
        "SLURM_JWT": "eyJ0", "WANDB_API_KEY": "hidden", "AWS_SECRET_ACCESS_KEY": "hidden",
        "HOME": "/mine", "MY_SETTING": "x",
    }  # fmt: skip
    captured = caught(tree, environ=environ)
    assert captured.environment["variables"] == {
        "CUDA_VISIBLE_DEVICES": "0,1", "PYTHONHASHSEED": "7", "SLURM_JOB_ID": "12",
    }  # fmt: skip
    assert captured.environment["seeds"]["PYTHONHASHSEED"] == "7"
    assert "hidden" not in json.dumps(captured.environment)


def test_packages_and_python_are_those_that_run(tree: Path) -> None:
    told = caught(tree).environment
    assert told["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    import pydantic

    assert told["packages"]["pydantic"] == pydantic.VERSION
    installed = {each.metadata["Name"]: each.metadata["Version"] for each in metadata.distributions()}
    assert told["packages"] == installed
    assert told["hardware"]["cores"] == os.cpu_count()
    assert told["hardware"]["memory"] > 2**20


def test_graphics_processors_are_told(tree: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB, GPU-1, 81559 MiB, 550.54'\n")
    program.chmod(0o755)
    environ: Mapping[str, str] = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    (gpu,) = caught(tree, environ=environ).environment["hardware"]["gpus"]
    assert gpu == {"name": "NVIDIA H100 80GB", "uuid": "GPU-1", "memory": "81559 MiB", "driver": "550.54"}


def test_no_package_is_imported_to_ask_for_its_seed(tree: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom tracker.capture import capture\n"
        f"told = capture(Path({str(tree)!r}), environ=dict(os.environ)).environment\n"
        "print('numpy' in sys.modules, 'torch' in sys.modules, 'numpy.random' in told['seeds'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False"]


def test_seeds_of_what_is_loaded_are_told(tree: Path) -> None:
    import numpy

    numpy.random.seed(3)
    first = caught(tree).environment["seeds"]["numpy.random"]
    numpy.random.seed(4)
    second = caught_in(tree, "second").environment["seeds"]["numpy.random"]
    numpy.random.seed(3)
    assert caught_in(tree, "third").environment["seeds"]["numpy.random"] == first != second


def test_what_was_captured_can_be_picked_up_by_another_process(repository: Path) -> None:
    (repository / "new.py").write_text("x = 1\n")
    captured = caught(repository)
    assert Captured.load(captured.staging) == captured
    captured.forget()
    assert not captured.staging.exists()
    assert Captured.load(captured.staging) is None


def test_a_capture_that_did_not_come_to_its_end_is_none(tree: Path) -> None:
    captured = caught(tree)
    (captured.staging / "captured.json").write_text('{"version": 1, "fil')
    assert Captured.load(captured.staging) is None


def test_the_tree_of_a_process_is_its_scripts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "train.py").write_text("")
    assert Started(("a/train.py",), (), tmp_path, tmp_path / "a" / "train.py").tree == tmp_path / "a"
    assert Started(("x",), (), tmp_path, tmp_path / "a" / "train.py", "pkg.train").tree == tmp_path
    assert Started(("",), (), tmp_path, None).tree == tmp_path


def test_another_process_captures_the_same(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "new.py").write_text("x = 1\n")
    monkeypatch.setattr(sys, "argv", ["train.py", "--lr", "0.1", "caf\udce9"])
    started = Started.now()
    alone = capture(repository, environ=PLAIN, started=started, staging=repository.parent / "alone")
    apart = capture_apart(repository.parent / "apart", environ=PLAIN, started=started, folder=repository)
    assert [file for file, _ in apart.files] == [file for file, _ in alone.files]
    assert apart.environment == alone.environment
    assert (apart.diff, apart.left_out) == (alone.diff, alone.left_out)


def test_without_another_process_this_one_captures(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    captured = capture_apart(
        repository.parent / "apart", environ=PLAIN, started=Started.now(), folder=repository
    )
    assert set(contents(captured)) == {"train.py"}


def test_of_a_home_without_git_the_script_alone_is_kept(tree: Path) -> None:
    (tree / "letters.txt").write_text("private")
    started = Started(("train.py",), ("python", "train.py"), tree, tree / "train.py")
    captured = capture(started=started, environ={**PLAIN, "HOME": str(tree)}, staging=tree.parent / "staging")
    assert set(contents(captured)) == {"train.py"}
    assert reasons(captured) == {"./": Reason.CROWDED}


def test_of_a_home_with_git_what_is_tracked_is_kept(repository: Path) -> None:
    (repository / "letters.txt").write_text("private")
    captured = caught(repository, environ={**PLAIN, "HOME": str(repository)})
    assert set(contents(captured)) == {"train.py"}
    assert reasons(captured) == {"./": Reason.CROWDED}


@pytest.mark.parametrize(
    ("folder", "files"), [("tree", {"train.py", "scripts/run.py"}), ("else", {"run.py"})]
)
def test_without_git_the_tree_is_the_working_folder_if_the_script_is_in_it(
    folder: str, files: set[str], tree: Path, tmp_path: Path
) -> None:
    script = tree / "scripts" / "run.py"
    script.parent.mkdir()
    script.write_text("")
    (tmp_path / folder).mkdir(exist_ok=True)
    started = Started((str(script),), ("python", str(script)), tmp_path / folder, script)
    captured = capture(started=started, environ=PLAIN, staging=tmp_path / "staging")
    assert set(contents(captured)) == files


def test_a_program_of_a_package_is_nobodys_project(tmp_path: Path) -> None:
    program = tmp_path / "env" / "bin" / "pytest"
    program.parent.mkdir(parents=True)
    program.write_text("")
    assert Started(("pytest",), (), tmp_path, program, prefix=tmp_path / "env").tree == tmp_path
    assert Started(("pytest",), (), tmp_path, program).tree == program.parent
