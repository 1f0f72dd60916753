"""Runs out of wandb's offline folders.

Field numbers are those of wandb/proto/wandb_internal.proto.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tracker.domain.errors import Invalid
from tracker.domain.experiments.lifecycle import Status
from tracker.importers.columns import Columns
from tracker.importers.fitted import final
from tracker.importers.fitting import from_micros
from tracker.importers.json_values import leaves, parsed
from tracker.importers.protobuf import Malformed, fields, signed, text
from tracker.importers.records import LeftOut, SourceFile, SourceRun
from tracker.importers.wandb.log_file import LogFile

__all__ = ["WandbSource"]

_HISTORY, _SUMMARY, _CONFIG, _STATS, _RUN, _EXIT = 2, 3, 5, 7, 17, 18
_PASSED = {4: "console lines", 13: "console lines", 10: "alerts", 8: "artifacts", 9: "TensorBoard folders"}
_OWN = ("_step", "_timestamp", "_runtime", "_wandb")


class WandbSource:
    """Everything below a folder, or one ``.wandb`` file.

    A run that was resumed has several files; they become one experiment.
    """

    tool = "wandb"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    def runs(self) -> Iterator[SourceRun]:
        """One for each run id.

        Raises:
            Invalid: there is no ``.wandb`` file.
            Unavailable: a file cannot be read.
        """
        files = [self._path] if self._path.is_file() else sorted(self._path.rglob("*.wandb"))
        if not files:
            raise Invalid.field("PATH", f"{self._path} has no .wandb files (WANDB_MODE=offline writes them)")
        by_run: dict[str, list[Path]] = {}
        for file in dict.fromkeys(path.resolve() for path in files):
            by_run.setdefault(file.stem.removeprefix("run-"), []).append(file)
        for run_id, parts in by_run.items():
            run = _Run(run_id)
            for part in parts:
                run.read(part)
            yield run.record()


class _Run:
    def __init__(self, run_id: str) -> None:
        self._id = run_id
        self._project, self._name, self._notes = "uncategorized", run_id, ""
        self._tags: dict[str, None] = {}
        self._config: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._history, self._stats = Columns(), Columns()
        self._samples = 0
        self._began: int | None = None
        self._last: int | None = None
        self._exit: int | None = None
        self._files: dict[str, SourceFile] = {}
        self._left: list[LeftOut] = []
        self._passed: Counter[str] = Counter()
        self._malformed = 0

    def read(self, path: Path) -> None:
        log = LogFile(path)
        self._exit = None  # the last file tells how the run ended
        for record in log.records():
            try:
                self._take(record)
            except (Malformed, ValueError):
                self._malformed += 1
        self._left.extend(log.left_out())
        files = path.parent / "files"
        for file in sorted(files.rglob("*")):
            if file.is_file():
                name = file.relative_to(files).as_posix()
                self._files[name] = SourceFile(name, file)

    def _take(self, record: bytes) -> None:
        readers: dict[int, Callable[[bytes], None]] = {
            _HISTORY: self._log,
            _SUMMARY: partial(self._update, self._summary),
            _CONFIG: partial(self._update, self._config),
            _STATS: self._sample,
            _RUN: self._describe,
        }
        for number, value in fields(record):
            if not isinstance(value, bytes):
                continue
            if number in readers:
                readers[number](value)
            elif number == _EXIT:
                self._exit = signed(dict(fields(value)).get(1, 0))
            elif number in _PASSED:
                self._passed[_PASSED[number]] += 1

    def _describe(self, message: bytes) -> None:
        for number, value in fields(message):
            if number == 3:
                self._project = text(value) or self._project
            elif number == 4 and isinstance(value, bytes):
                self._update(self._config, value)
            elif number == 6:
                self._tags[f"group:{text(value)}"] = None
            elif number == 7:
                self._tags[f"job_type:{text(value)}"] = None
            elif number == 8:
                self._name = text(value) or self._name
            elif number == 9:
                self._notes = text(value)
            elif number == 10:
                self._tags[text(value)] = None
            elif number == 17 and isinstance(value, bytes):
                began = _micros(value)
                self._began = began if self._began is None else min(began, self._began)

    @staticmethod
    def _items(message: bytes, *, removes: bool) -> Iterator[tuple[int, list[str], Any]]:
        """What is updated (1) or removed (2): the path, and the value."""
        for number, item in fields(message):
            if number not in ((1, 2) if removes else (1,)) or not isinstance(item, bytes):
                continue
            path: list[str] = []
            told = ""
            for key, value in fields(item):
                if key in (1, 2):
                    path.append(text(value))
                elif key == 16:
                    told = text(value)
            yield number, path, parsed(told) if told else None

    def _update(self, tree: dict[str, Any], message: bytes, *, removes: bool = True) -> None:
        for number, path, value in self._items(message, removes=removes):
            if not path:
                continue
            *outer, last = path
            inner = tree
            for key in outer:
                if not isinstance(inner.get(key), dict):
                    inner[key] = {}
                inner = inner[key]
            if number == 1:
                inner[last] = value
            else:
                inner.pop(last, None)

    def _log(self, message: bytes) -> None:
        row: dict[str, Any] = {}
        self._update(row, message, removes=False)  # the second field is the step
        step = row.get("_step")
        if step is None:
            told = [
                dict(fields(value)) for key, value in fields(message) if key == 2 and isinstance(value, bytes)
            ]
            step = signed(told[0].get(1, 0)) if told else 0
        at = row.get("_timestamp")
        self._last = round(float(at) * 1_000_000) if isinstance(at, int | float) else self._last
        kept = {name: value for name, value in row.items() if name not in _OWN}
        self._history.add_row(kept, int(step), self._last or self._began or 0)

    def _sample(self, message: bytes) -> None:
        """System figures have no step of their own: the n-th sample stands at step n."""
        at, row = 0, {}
        for key, value in fields(message):
            if key == 2 and isinstance(value, bytes):
                at = _micros(value)
            elif key == 3 and isinstance(value, bytes):
                item = dict(fields(value))
                row[f"system/{text(item.get(1, b''))}"] = parsed(text(item.get(16, b"null")))
        self._stats.add_row(row, self._samples, at)
        self._samples += 1

    def record(self) -> SourceRun:
        config = {name: value for name, value in self._config.items() if name != "_wandb"}
        summary = {name: value for name, value in self._summary.items() if not name.startswith("_")}
        has_ended = self._exit is not None
        return SourceRun(
            project=self._project,
            key=self._id,
            name=self._name,
            status=Status.COMPLETE if self._exit == 0 else Status.FAILED,
            started_at=from_micros(self._began),
            completed_at=from_micros(self._last or self._began) if has_ended else None,
            description=self._notes,
            params=config,
            tags=tuple(self._tags),
            series={**self._history.series, **self._stats.series},
            metrics=final(dict(leaves(summary))),
            files=tuple(self._files.values()),
            left_out=tuple(self._left_out(has_ended)),
        )

    def _left_out(self, has_ended: bool) -> Iterator[LeftOut]:
        yield from self._left
        yield from self._history.left_out()
        yield from self._stats.left_out()
        for what, count in self._passed.items():
            yield LeftOut(what, "have no place here", count)
        if self._malformed:
            yield LeftOut("records", "are not as wandb writes them", self._malformed, damaged=True)
        if not has_ended:
            why = "is not there: the run was killed, or still runs; until an import finds it, it failed"
            yield LeftOut("exit code", why)
        elif self._exit:
            yield LeftOut(f"exit code {self._exit}", "is told as failed")


def _micros(timestamp: bytes) -> int:
    """A ``google.protobuf.Timestamp``."""
    told = dict(fields(timestamp))
    return signed(told.get(1, 0)) * 1_000_000 + signed(told.get(2, 0)) // 1000
