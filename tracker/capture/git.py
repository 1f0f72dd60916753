"""Asks the ``git`` program about a work tree, without changing it and without running what it names.

A repository's configuration and attributes can name programs: filters, textconv, an external diff,
hooks, a monitor of the file system, transports. None of them is run: each is switched off on the
command line, which counts more than any file.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tracker.capture.captured import Deadline

__all__ = ["Git", "NoAnswer"]

_KEPT_VARIABLES = ("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_CONFIG_")
_SAFE = (
    "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.untrackedCache=false", "core.sshCommand=false",
    "core.quotePath=true", "diff.autoRefreshIndex=false", "diff.submodule=short",
    "diff.noprefix=false", "diff.mnemonicPrefix=false", "color.ui=false", "protocol.allow=never",
    "maintenance.auto=false", "gc.auto=0", "submodule.recurse=false",
)  # fmt: skip
_PIECE = 2**16


class NoAnswer(Exception):
    """There is no git, it refused, it took too long, or its answer is longer than was asked for."""


class Git:
    """The ``git`` program on one work tree.

    Args:
        folder: the work tree, or a folder in it.
        environ: the process's environment; what would point git elsewhere is left out.
        deadline: when an answer has to be there.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], deadline: Deadline) -> None:
        self._folder = folder
        self._environ = {
            **{name: value for name, value in environ.items() if _is_harmless(name)},
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "LC_ALL": "C",
        }
        self._deadline = deadline
        self._more_options: tuple[str, ...] = ()

    def at(self, folder: Path) -> Git:
        """The same for another folder."""
        return Git(folder, self._environ, self._deadline)

    def without_filters(self) -> Git | None:
        """The same with no filter set up; ``None`` where one has a name that cannot be overridden."""
        try:
            names = self.answer("config", "--null", "--name-only", "--get-regexp", r"^(filter|diff)\.")
        except NoAnswer:
            names = b""  # there are none
        drivers = {tuple(os.fsdecode(name).rpartition(".")[::2]) for name in names.split(b"\0") if name}
        switched_off = []
        for driver, variable in sorted(drivers):
            if "=" in driver:
                return None
            if driver.startswith("filter."):
                value = "false" if variable == "required" else ""
                switched_off += ["-c", f"{driver}.{variable}={value}"]
        git = self.at(self._folder)
        git._more_options = tuple(switched_off)
        return git

    def text(self, *words: str) -> str | None:
        """What git prints, without the end of its last line; ``None`` when it refuses."""
        try:
            return os.fsdecode(self.answer(*words)).removesuffix("\n")
        except NoAnswer:
            return None

    def names(self, *words: str, most: int) -> tuple[list[bytes], bool]:
        """The first `most` names that git prints with a NUL between, and whether these are all.

        Raises:
            NoAnswer: git refuses, or is not there.
        """
        found: list[bytes] = []
        with self._printing(words) as pieces:
            rest = b""
            for piece in pieces:
                *more, rest = (rest + piece).split(b"\0")
                found += more
                if len(found) > most:
                    return found[:most], False
        return found, True

    def answer(self, *words: str, most: int = 2**24, stdin: bytes = b"") -> bytes:
        """What git prints.

        Raises:
            NoAnswer: it refuses, is not there, takes too long, or prints more than `most` bytes.
        """
        try:
            done = subprocess.run(  # noqa: S603  (a list, and no shell)
                self._command(words), env=self._environ, input=stdin, capture_output=True,
                timeout=max(0.1, self._deadline.left), check=False,
            )  # fmt: skip
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise NoAnswer from error
        if done.returncode or len(done.stdout) > most:
            raise NoAnswer(os.fsdecode(done.stderr).strip())
        return done.stdout

    def beginning(self, *words: str, most: int) -> tuple[bytes, bool]:
        """The first `most` bytes of what git prints, and whether these are all.

        Raises:
            NoAnswer: it refuses, or is not there.
        """
        found = bytearray()
        with self._printing(words) as pieces:
            for piece in pieces:
                found += piece
                if len(found) > most:
                    return bytes(found[:most]), False
        return bytes(found), True

    def _command(self, words: Sequence[str]) -> list[str]:
        options = [part for setting in _SAFE for part in ("-c", setting)]
        return ["git", "-C", str(self._folder), "--no-pager", *options, *self._more_options, *words]

    @contextmanager
    def _printing(self, words: Sequence[str]) -> Iterator[Iterator[bytes]]:
        """What git prints, as it comes; the end of the block ends git."""
        try:
            process = subprocess.Popen(  # noqa: S603  (a list, and no shell)
                self._command(words), env=self._environ, bufsize=0,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise NoAnswer from error
        # A read waits for as long as git is silent, for ever on a network folder that is away.
        watch = threading.Timer(self._deadline.left, process.kill)
        watch.daemon = True
        watch.start()
        try:
            yield _pieces(process)
        finally:
            watch.cancel()
            process.kill()
            with process:
                pass  # closes the pipe and waits


def _pieces(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    assert process.stdout is not None
    while piece := process.stdout.read(_PIECE):
        yield piece
    if process.wait():
        raise NoAnswer


def _is_harmless(name: str) -> bool:
    return not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
