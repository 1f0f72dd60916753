"""``wandb.Artifact``: named files that belong together."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Self

from tracker.compat.wandb_errors import ignored, refused
from tracker.compat.wandb_media import Media

if TYPE_CHECKING:
    from tracker.run.run import Run

__all__ = ["Artifact", "keep_json"]


class Artifact:
    """Files under one name; ``log_artifact`` keeps each as ``NAME/FILE``, its kind is the type.

    There are no versions or aliases: an artifact belongs to the run that logged it.
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        for option, value in more.items():
            if value not in (None, False):
                ignored(f"wandb.Artifact({option}=)")
        self.name = name
        self.type = type
        self.description = description
        self.metadata = dict(metadata or {})
        self.aliases: list[str] = []
        self._files: dict[str, Path] = {}
        self._media: dict[str, Media] = {}
        self._references: dict[str, str] = {}
        self._drafts: Path | None = None

    def add_file(self, local_path: str | Path, name: str | None = None, **more: Any) -> None:
        """Adds a file.

        Raises:
            ValueError: there is no such file, as wandb has it.
        """
        path = Path(local_path)
        if not path.is_file():
            raise ValueError(f"Path is not a file: {local_path!r}")
        self._files[_inside(name or path.name)] = path

    def add_dir(self, local_path: str | Path, name: str | None = None, **more: Any) -> None:
        """Adds the files of a folder.

        Raises:
            ValueError: there is no such folder, as wandb has it.
        """
        folder = Path(local_path)
        if not folder.is_dir():
            raise ValueError(f"Path is not a directory: {local_path!r}")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                below = path.relative_to(folder).as_posix()
                self._files[_inside(f"{name}/{below}" if name else below)] = path

    def add_reference(self, uri: Any, name: str | None = None, **more: Any) -> None:
        """Keeps an address; what is there is not read."""
        self._references[name or PurePosixPath(str(uri)).name or str(uri)] = str(uri)

    def add(self, obj: Any, name: str, overwrite: bool = False) -> None:
        """Adds a table, an image or the like."""
        if isinstance(obj, Media):
            self._media[_inside(str(name))] = obj
        else:
            ignored(f"wandb.Artifact.add({type(obj).__name__})")

    @contextmanager
    def new_file(self, name: str, mode: str = "x", encoding: str | None = None) -> Iterator[IO[Any]]:
        """Opens a new file to write to, and adds it."""
        if self._drafts is None:
            self._drafts = Path(tempfile.mkdtemp(prefix="tracker-artifact-"))
            weakref.finalize(self, shutil.rmtree, self._drafts, ignore_errors=True)
        path = self._drafts / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = None if "b" in mode else encoding or "utf-8"
        with path.open(mode, encoding=text) as file:
            yield file
        self._files[_inside(name)] = path

    def wait(self, timeout: float | None = None) -> Self:
        """Nothing to wait for."""
        return self

    def download(self, *args: Any, **more: Any) -> str:
        """Not here: ``tracker artifact get`` does it."""
        refused("Artifact.download()", "tracker artifact get has files of a run")

    def keep(self, run: Run) -> None:
        """Has `run` keep its files, and what else is said of it as ``NAME/artifact.json``."""
        for name, path in sorted(self._files.items()):
            run.file(path, name=f"{self.name}/{name}", kind=self.type)
        for name, media in sorted(self._media.items()):
            media.keep(run, f"{self.name}/{name}", 0)
        about = {
            "type": self.type, "description": self.description, "metadata": self.metadata,
            "aliases": self.aliases, "references": self._references,
        }  # fmt: skip
        if any(value for key, value in about.items() if key != "type"):
            keep_json(run, f"{self.name}/artifact.json", about)


def keep_json(run: Run, name: str, content: Any) -> None:
    """Has `run` keep a JSON value as a file."""
    with tempfile.TemporaryDirectory(prefix="tracker-artifact-") as folder:
        path = Path(folder) / "content.json"
        path.write_text(json.dumps(content, default=str, indent=1, ensure_ascii=False), encoding="utf-8")
        run.file(path, name=name)


def _inside(name: str) -> str:
    """A path that stays within the artifact."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"name: {name!r} must be a path inside of the artifact")
    return path.as_posix()
