"""What a run keeps beside numbers: notes, texts, images, sounds, tables, histograms and files."""

from __future__ import annotations

import mimetypes
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.domain.errors import Invalid
from tracker.journal.folder import JournalFolder
from tracker.run.complaints import Complaints
from tracker.run.media import Encoded, encoded
from tracker.run.values import artifact_name, step_of

__all__ = ["Content"]


class Content(ABC):
    """The part of a run that makes artifacts.

    Each is copied into the journal's folder before the call returns, so that what happens to the
    original later does not matter, and is sent in the background.
    """

    _journal: JournalFolder
    _complaints: Complaints

    def note(self, text: str) -> None:
        """Keeps a remark, in Markdown."""
        name = f"notes/{time.time_ns() // 1000}"
        self._encode("note", name, lambda: encoded("text", text, format="markdown", tell=self._said))

    def text(self, name: str, text: str, *, step: int | None = None, format: str = "plain") -> None:
        """Keeps a text, ``plain`` or ``markdown``."""
        self._encode("text", name, lambda: encoded("text", text, format=format, tell=self._said), step)

    def image(self, name: str, image: Any, *, step: int | None = None, caption: str = "") -> None:
        """Keeps an image: an array, an image of Pillow, a figure of matplotlib, or a file."""
        self._encode("image", name, lambda: encoded("image", image, caption=caption, tell=self._said), step)

    def audio(
        self, name: str, samples: Any, rate: int | None = None, *, step: int | None = None, caption: str = ""
    ) -> None:
        """Keeps a sound: an array (n,) or (n, channels) of `rate` samples a second, or a file."""
        options = {"rate": rate, "caption": caption}
        self._encode("audio", name, lambda: encoded("audio", samples, **options, tell=self._said), step)

    def table(
        self, name: str, rows: Any, *, columns: Sequence[str] | None = None, step: int | None = None
    ) -> None:
        """Keeps a table: dicts, lists, a dict of columns, or a frame of pandas, polars or pyarrow."""
        self._encode("table", name, lambda: encoded("table", rows, columns=columns, tell=self._said), step)

    def histogram(self, name: str, values: Any = None, *, step: int | None = None, **options: Any) -> None:
        """Keeps how often values fall between edges; `options` are ``bins``, or ``counts`` and ``edges``."""
        self._encode(
            "histogram", name, lambda: encoded("histogram", values, **options, tell=self._said), step
        )

    def file(self, path: str | Path, *, name: str | None = None, kind: str = "file") -> None:
        """Keeps a file as it is now, such as a checkpoint."""
        with self._complaints.about("file"):
            source = Path(path)
            if not source.is_file():
                raise Invalid.field("path", f"{source} is no file")
            self._keep_file(source, source.name if name is None else name, kind, {})

    def folder(self, path: str | Path, *, name: str | None = None) -> None:
        """Keeps all files below a folder as they are now."""
        with self._complaints.about("folder"):
            source = Path(path)
            if not source.is_dir():
                raise Invalid.field("path", f"{source} is no folder")
            title = source.resolve().name if name is None else name
            for each in sorted(source.rglob("*")):
                if each.is_file():
                    inside = f"{title}/{each.relative_to(source).as_posix()}"
                    with self._complaints.about("folder"):
                        self._keep_file(each, inside, "folder", {"folder": title})

    @abstractmethod
    def _event(self, event: str, **content: Any) -> None:
        """Writes an event to the journal; refused when the run is finished."""

    @property
    @abstractmethod
    def _keeps(self) -> bool:
        """Whether anything is kept at all."""

    def _said(self, text: str) -> None:
        self._complaints.tell(text, text)

    def _encode(self, kind: str, name: str, encode: Callable[[], Encoded], step: int | None = None) -> None:
        with self._complaints.about(kind):
            at = None if step is None else step_of(step)
            artifact_name(name)
            made = encode()
            title = name if name.endswith(made.suffix) else name + made.suffix
            self._keep(
                made.data, title, kind=kind, media_type=made.media_type, step=at, metadata=made.metadata
            )

    def _keep_file(self, source: Path, name: str, kind: str, metadata: Mapping[str, Any]) -> None:
        media_type = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
        self._keep(source, name, kind=kind, media_type=media_type, step=None, metadata=metadata)

    def _keep(self, source: bytes | Path, name: str, *, metadata: Mapping[str, Any], **fields: Any) -> None:
        artifact_name(name)  # with what was put behind it
        if self._keeps:
            digest, size = self._journal.stage(source)
            self._event("artifact", name=name, digest=digest, size=size, metadata=dict(metadata), **fields)
