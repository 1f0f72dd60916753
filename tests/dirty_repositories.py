"""Work trees in the states that people leave them in, made with real git from a seed.

Each has some of the kinds of dirt below. What a capture must not contain is planted on purpose, so
that what it must contain is known without asking git: everything else that is on disk.
"""

from __future__ import annotations

import os
import random
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["KINDS", "SECRET", "Dirty", "Node", "git", "inside", "kinds_of", "make_dirty", "tree_of"]

SECRET = "s3cr3t-of-this-test"
Node = tuple[str, bytes, bool]
"""Kind (file, link, folder), content, and whether it can be executed."""

# Nothing of the machine's own configuration decides what a test sees.
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}  # fmt: skip


def git(folder: Path, *words: str | bytes, check: bool = True) -> str:
    """Runs git; what it printed."""
    done = subprocess.run(
        ["git", "-C", folder, *words], env={**os.environ, **_ENVIRONMENT}, capture_output=True, check=False
    )
    assert done.returncode == 0 or not check, (words, done.stderr)
    return done.stdout.decode(errors="surrogateescape")


@dataclass
class Dirty:
    """One tree.

    Attributes:
        root: of it.
        kinds: of dirt in it.
        unwanted: paths, and folders that end with ``/``, which no capture may contain.
    """

    root: Path
    chance: random.Random
    kinds: list[str] = field(default_factory=list)
    unwanted: set[str] = field(default_factory=set)
    has_git: bool = True

    def write(self, path: str | bytes, content: bytes | None = None) -> Path:
        """A file, and the folders around it."""
        place = self.root / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self.text() if content is None else content)
        return place

    def text(self) -> bytes:
        """Some lines."""
        return b"".join(
            b"line %d\n" % self.chance.randrange(1000) for _ in range(self.chance.randrange(1, 9))
        )

    def git(self, *words: str | bytes, check: bool = True) -> str:
        """Runs git in the tree, where there is a repository."""
        return git(self.root, *words, check=check) if self.has_git else ""


def tree_of(root: Path) -> dict[str, Node]:
    """All that is in a folder, by path; of folders only those with nothing in them, and no ``.git``."""
    found: dict[str, Node] = {}
    for top, folders, files in os.walk(root):
        folder = Path(top)
        folders[:] = sorted(name for name in folders if name != ".git")
        if not folders and not files and folder != root:
            found[folder.relative_to(root).as_posix()] = ("folder", b"", False)
        for place in (folder / name for name in [*files, *folders] if name != ".git"):
            node = _node(place)
            if node is not None:
                found[place.relative_to(root).as_posix()] = node
    return found


def _node(place: Path) -> Node | None:
    mode = place.lstat().st_mode
    if stat.S_ISLNK(mode):
        return ("link", os.fsencode(place.readlink()), False)
    if stat.S_ISREG(mode):
        return ("file", place.read_bytes(), bool(mode & 0o100))
    return None if stat.S_ISDIR(mode) else ("special", b"", False)


def inside(dirty: Dirty) -> dict[str, Node]:
    """What a capture must give back: what is on disk without what was planted as unwanted."""
    folders = tuple(path for path in dirty.unwanted if path.endswith("/"))
    return {
        path: node
        for path, node in tree_of(dirty.root).items()
        if path not in dirty.unwanted and not (folders and f"{path}/".startswith(folders))
    }


def _edits(dirty: Dirty) -> None:
    dirty.write("src/train.py", b"print('changed')\n" + dirty.text())
    dirty.write("notes.txt", dirty.text())


def _staged_and_unstaged(dirty: Dirty) -> None:
    dirty.write("src/model.py", b"staged\n")
    dirty.git("add", "src/model.py")
    dirty.write("src/model.py", b"staged, and more since\n")
    dirty.write("staged_new.py", b"x = 1\n")
    dirty.git("add", "staged_new.py")
    dirty.write("intended.py", b"y = 1\n")
    dirty.git("add", "--intent-to-add", "intended.py")


def _renamed(dirty: Dirty) -> None:
    dirty.git("mv", "src/data.py", "src/datasets.py")
    if (dirty.root / "docs/a.md").exists():
        (dirty.root / "docs/a.md").rename(dirty.root / "docs/renamed on disk.md")


def _deleted(dirty: Dirty) -> None:
    (dirty.root / "config/base.yaml").unlink()  # its folder stays, with nothing in it
    dirty.git("rm", "-q", "--force", "--ignore-unmatch", "old.py")


def _untracked(dirty: Dirty) -> None:
    for name in ("new/deep/er/file.txt", "new/top.txt", "scratch.py"):
        dirty.write(name)


def _binary(dirty: Dirty) -> None:
    dirty.write("weights.bin", dirty.chance.randbytes(5000))
    dirty.write("plot.png", b"\x89PNG\r\n\x1a\n" + dirty.chance.randbytes(300) + b"\0")
    dirty.write("empty.dat", b"")


def _line_ends(dirty: Dirty) -> None:
    dirty.write(".gitattributes", b"*.win text eol=crlf\n*.unix text eol=lf\n*.raw -text\n")
    for name in ("a.win", "b.unix", "c.raw"):
        dirty.write(name, b"one\r\ntwo\nthree\r\n")
    dirty.git("-c", "core.safecrlf=false", "add", "a.win", ".gitattributes")
    dirty.git("config", "core.autocrlf", "true")


def _notebook(dirty: Dirty) -> None:
    cells = '{"cells":[{"cell_type":"code","source":["1+1"],"outputs":[{"data":{"image/png":"iVBO"}}]}]}\n'
    dirty.write("notebooks/explore.ipynb", cells.encode())
    dirty.write("notebooks/.ipynb_checkpoints/explore-checkpoint.ipynb", b"{}")
    dirty.unwanted.add("notebooks/.ipynb_checkpoints/")


def _executable(dirty: Dirty) -> None:
    dirty.write("run.sh", b"#!/bin/sh\nexit 0\n").chmod(0o755)
    (dirty.root / "src/train.py").chmod(0o755)
    dirty.write("private.txt", b"mine\n").chmod(0o600)


def _links(dirty: Dirty) -> None:
    for name, target in (
        ("to_file", "src/model.py"), ("dangling", "no/such/thing"), ("to_folder", "src"), ("outside", "/etc"),
        ("up", "../../.."), ("loop", "loop"), ("src/sibling", "model.py"),
    ):  # fmt: skip
        (dirty.root / name).symlink_to(target)
    (dirty.root / "to_bytes").symlink_to(os.fsdecode(b"caf\xe9"))
    dirty.git("add", "to_file", "dangling")


def _names(dirty: Dirty) -> None:
    for name in (
        "ünï/日本.txt", "with space/ a .txt", "new\nline.txt", "tab\there.txt", "quote\"'s.txt",
        "back\\slash.txt",
        "C:drive.txt", "-dash.txt", ":(glob)magic.txt", "percent%0Anot.txt", "new%0Aline.txt", "*star?.txt",
        "#hash.txt", "!bang.txt", "trailing .txt ", "nbsp\u00a0.txt", "A.txt", "a.txt", "e\u0301.txt",
        "\u00e9.txt",
    ):  # fmt: skip
        dirty.write(name)
    dirty.write(b"latin-\xe9.txt")
    dirty.write(b"fold\xff/inner.txt")
    dirty.git("add", "--", "new\nline.txt", b"latin-\xe9.txt", check=False)
    dirty.write("x" * 250)


def _submodule(dirty: Dirty) -> None:
    library = dirty.root.parent / f"{dirty.root.name}-library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    (library / "lib.py").write_text("one = 1\n")
    (library / ".gitignore").write_text("*.log\n")
    git(library, "add", "-A")
    git(library, "commit", "-qm", "lib")
    dirty.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "third/lib")
    dirty.git("commit", "-qm", "submodule", "third/lib", ".gitmodules")
    dirty.write("third/lib/lib.py", b"one = 2\n")
    dirty.write("third/lib/more.py", b"two = 2\n")
    dirty.write("third/lib/x.log", b"ignored in there\n")
    dirty.unwanted.add("third/lib/x.log")


def _nested(dirty: Dirty) -> None:
    inner = dirty.root / "vendor" / "inner"
    inner.mkdir(parents=True)
    git(inner, "init", "-q", "-b", "main")
    (inner / "tracked.py").write_text("a\n")
    (inner / ".gitignore").write_text("build/\n")
    git(inner, "add", "-A")
    git(inner, "commit", "-qm", "inner")
    dirty.write("vendor/inner/untracked.py")
    dirty.write("vendor/inner/build/x.o")
    dirty.unwanted.add("vendor/inner/build/")
    bare = dirty.root / "no_commit_inside"
    bare.mkdir()
    git(bare, "init", "-q")
    dirty.write("no_commit_inside/file.txt")


def _conflict(dirty: Dirty) -> None:
    dirty.git("stash", "-q", check=False)
    dirty.git("checkout", "-q", "-b", "other")
    dirty.write("README.md", b"theirs\n")
    dirty.git("commit", "-qam", "theirs")
    dirty.git("checkout", "-q", "-")
    dirty.write("README.md", b"ours\n")
    dirty.git("commit", "-qam", "ours")
    dirty.git("merge", "-q", "other", check=False)
    assert b"<<<<<<<" in (dirty.root / "README.md").read_bytes()


def _detached(dirty: Dirty) -> None:
    dirty.git("checkout", "-q", "--detach", check=False)


def _filtered(dirty: Dirty) -> None:
    """A filter that would leave a trace if it ran, and so would all else that a configuration names."""
    trace = f"touch '{dirty.root.parent}/{dirty.root.name}-ran'; cat"
    dirty.write(".gitattributes", b"*.flt filter=f diff=f\n*.weights filter=f.dotted\n")
    dirty.write("a.flt", b"one\n")
    dirty.git("add", "-A", "a.flt")
    dirty.git("commit", "-qm", "filtered", "a.flt")
    for key in ("filter.f.clean", "filter.f.smudge", "filter.f.dotted.process", "diff.f.textconv",
                "diff.f.command",
                "diff.external", "core.fsmonitor", "core.sshCommand", "core.pager"):  # fmt: skip
        dirty.git("config", key, trace)
    dirty.git("config", "filter.f.required", "true")
    hooks = dirty.root / ".git/hooks"
    for hook in ("post-index-change", "fsmonitor-watchman", "pre-commit"):
        (hooks / hook).write_text(f"#!/bin/sh\n{trace}\n")
        (hooks / hook).chmod(0o755)
    dirty.write("a.flt", b"two\n")
    dirty.write("b.weights", b"pointer\n")


def _replaced(dirty: Dirty) -> None:
    """A tracked folder is a link now, and a tracked file a folder."""
    model = dirty.root / "src/model.py"
    if model.exists() and not model.is_dir():
        model.unlink()
    dirty.write("src/model.py/inside.txt")
    docs = dirty.root / "docs"
    docs.rename(dirty.root / "docs_moved")
    docs.symlink_to("docs_moved")


def _ignored(dirty: Dirty) -> None:
    dirty.write(".gitignore", b"*.log\nbuild/\n/only_here.txt\ncache/*\n!cache/keep.txt\n")
    for path in ("deep/x.log", "build/out.bin", "only_here.txt", "cache/drop.txt"):
        dirty.write(path)
        dirty.unwanted.add(path)
    dirty.write("cache/keep.txt")
    dirty.write("deep/only_here.txt")
    dirty.write("forced.log", b"tracked all the same\n")
    if dirty.has_git:
        dirty.git("add", "--force", "forced.log")
    else:
        dirty.unwanted.add("forced.log")
    dirty.write("left/behind.tmp")
    dirty.write(".trackerignore", b"left/\n*.huge\n")
    dirty.unwanted.add("left/behind.tmp")


def _secrets(dirty: Dirty) -> None:
    for path in (".env", "config/.env.local", "deploy/server.pem", "id_rsa", "home/.ssh/config",
                 "credentials.json",
                 "sub/credentials", ".netrc", "kaggle.json"):  # fmt: skip
        dirty.write(path, f"{SECRET}\n".encode())
        dirty.unwanted.add(path)
    dirty.write("disguised.txt", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n".encode())
    dirty.unwanted.add("disguised.txt")
    dirty.git("add", "--force", ".env", "disguised.txt")
    dirty.write(".env.example", b"TOKEN=\n")


def _junk(dirty: Dirty) -> None:
    for path in ("__pycache__/x.pyc", "node_modules/a/index.js", "env/pyvenv.cfg", "env/lib/huge.py",
                 "src/y.pyc",
                 "runs/tracker.db", "runs/scalars/x.db", ".pytest_cache/v"):  # fmt: skip
        dirty.write(path)
        dirty.unwanted.add(path)


def _empty_folders(dirty: Dirty) -> None:
    for path in ("checkpoints", "out/a/b", "new/empty"):
        (dirty.root / path).mkdir(parents=True, exist_ok=True)


def _special(dirty: Dirty) -> None:
    os.mkfifo(dirty.root / "pipe")
    dirty.unwanted.add("pipe")


KINDS: Mapping[str, Callable[[Dirty], None]] = {
    kind.__name__.removeprefix("_"): kind
    for kind in (
        _submodule, _filtered, _conflict, _detached, _edits, _untracked, _binary, _line_ends, _notebook,
        _links,
        _names, _nested, _ignored, _secrets, _junk, _empty_folders, _special, _renamed, _deleted,
        _staged_and_unstaged, _executable, _replaced,
    )
}  # fmt: skip
"""In the order in which they are done to a tree."""

_WITHOUT = {
    "no_git": {"submodule", "filtered", "conflict", "detached", "staged_and_unstaged", "renamed", "nested"},
    "no_commit": {"submodule", "filtered", "conflict", "detached", "renamed"},
    "worktree": {"filtered"},  # its hooks are elsewhere
}


def kinds_of(seed: int) -> list[str]:
    """The shape of a seed's tree, and what is done to it."""
    chance = random.Random(seed)
    shape = {7: "no_git", 8: "no_commit", 9: "worktree"}.get(seed % 10, "plain")
    chosen = {list(KINDS)[seed % len(KINDS)], *(kind for kind in KINDS if chance.random() < 0.35)}
    return [shape, *(kind for kind in KINDS if kind in chosen - _WITHOUT.get(shape, set()))]


def make_dirty(parent: Path, seed: int) -> Dirty:
    """The tree of a seed: every kind of dirt comes up in some seed of any 22 that follow each other."""
    kinds = kinds_of(seed)
    shape = kinds[0]
    dirty = Dirty(parent / f"tree{seed}", random.Random(seed), kinds, has_git=shape != "no_git")
    dirty.root.mkdir(parents=True)
    for path in (
        "README.md",
        "src/train.py",
        "src/model.py",
        "src/data.py",
        "docs/a.md",
        "config/base.yaml",
        "old.py",
    ):
        dirty.write(path)
    if dirty.has_git:
        dirty.git("init", "-q", "-b", "main")
        dirty.git("remote", "add", "origin", f"https://user:{SECRET}@example.org/a/b.git")
    if shape in ("plain", "worktree"):
        dirty.git("add", "-A")
        dirty.git("commit", "-qm", "first")
    if shape == "worktree":
        linked = parent / f"linked{seed}"
        dirty.git("worktree", "add", "-q", "-b", "linked", str(linked))
        dirty.root = linked
    for kind in dirty.kinds[1:]:
        KINDS[kind](dirty)
    for trace in parent.glob("*-ran"):  # making the tree ran what its configuration names
        trace.unlink()
    return dirty
