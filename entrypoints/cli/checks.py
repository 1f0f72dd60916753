"""What ``tracker doctor`` looks at, one function a thing."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from tracker.domain.errors import SchemaMismatch, TrackerError, Unavailable
from tracker.settings import Settings

from .account_checks import account_findings
from .finding import Finding, State

if TYPE_CHECKING:
    from tracker.blocking import Tracker

__all__ = ["folder_findings", "server_findings"]

_ROOM_NEEDED = 512 * 2**20
_SQLITE_FILE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]+)")
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING, on which the SQL adapter builds


async def folder_findings(settings: Settings) -> list[Finding]:
    """Looks at everything a folder's installation needs; creates nothing."""
    findings = [data_folder(settings.data), disk_space(settings.data)]
    file = _sqlite_file(settings.database_url)
    if file is None or file.exists():
        findings += [finding async for finding in _opened(settings)]
    else:
        findings += [_missing_database(file)]
    findings.append(sqlite(file))
    return findings


def server_findings(library: Tracker, url: str) -> list[Finding]:
    """Whether the server at `url` answers and lets the caller in."""
    try:
        library.projects.list()
    except Unavailable as error:
        return [Finding("server", State.SILENT, error.detail, "tracker server")]
    except TrackerError as error:
        return [Finding("server", State.PROBLEM, error.detail, f"tracker login {url}")]
    return [Finding("server", State.OK, f"{url} answers")]


def data_folder(data: Path) -> Finding:
    """Whether files can be written where they belong."""
    place = _nearest(data)
    if not place.is_dir():
        return Finding("data folder", State.PROBLEM, f"{place} is not a folder", f"mv {place} {place}.old")
    try:
        with TemporaryFile(dir=place):  # truer than permissions: full and read-only disks refuse too
            pass
    except OSError as error:
        text = f"{place} cannot be written: {error.strerror}"
        return Finding("data folder", State.PROBLEM, text, f"chmod u+rwx {place}")
    if place != data:
        return Finding("data folder", State.OK, f"{data} is not there yet; the first write makes it")
    return Finding("data folder", State.OK, f"{data} can be written")


def disk_space(data: Path) -> Finding:
    """Whether there is room for more."""
    place = _nearest(data)
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("disk space", State.SILENT, f"{place}: {error.strerror}")
    text = f"{free / 2**30:.1f} GiB free at {place}"
    if free < _ROOM_NEEDED:
        return Finding("disk space", State.PROBLEM, text, f"du -sh {place}")
    return Finding("disk space", State.OK, text)


def sqlite(file: Path | None) -> Finding:
    """Whether SQLite is new enough, and the file lets readers in while somebody writes."""
    version = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        needed = ".".join(map(str, _OLDEST_SQLITE))
        return Finding(
            "sqlite", State.PROBLEM, f"{version} is older than {needed}; a newer Python has a newer one"
        )
    if file is None or not file.exists():
        return Finding("sqlite", State.OK, version)
    try:
        with closing(_read_only(file)) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    except sqlite3.Error as error:
        return Finding("sqlite", State.SILENT, f"{version}: {file}: {error}")
    if mode != "wal":
        mend = f"sqlite3 {file} 'PRAGMA journal_mode=WAL'"
        return Finding("sqlite", State.PROBLEM, f"{version}: {file} is in {mode} mode, not WAL", mend)
    return Finding("sqlite", State.OK, f"{version}, WAL")


async def _opened(settings: Settings) -> Any:
    """Asks the database and the scalars store themselves."""
    from tracker import container as composition  # noqa: PLC0415  (late: SQLAlchemy)

    container = composition.build(settings)
    try:
        for finding in await _database(container.database()):
            yield finding
        elsewhere = settings.scalars_service_url or settings.scalars_url or settings.clickhouse_url
        if elsewhere or (settings.data / "scalars").exists():
            yield await _scalars(container.scalar_store(), settings.data / "scalars")
        else:
            yield Finding("scalars", State.OK, "nothing is logged yet")
        yield await _blobs(container.blob_store(), settings)
        async for finding in account_findings(settings, container):
            yield finding
    finally:
        await composition.stop(container)


async def _database(database: Any) -> list[Finding]:
    reached = Finding("database", State.OK, "answers")
    try:
        await database.prepare(auto_upgrade=False)
    except SchemaMismatch as error:
        return [reached, Finding("migrations", State.PROBLEM, error.detail)]
    except TrackerError as error:
        return [Finding("database", State.SILENT, error.detail, "check DATABASE_URL")]
    return [reached, Finding("migrations", State.OK, "the schema is the one this version works with")]


async def _scalars(store: Any, folder: Path) -> Finding:
    try:
        await store.check()
    except TrackerError as error:
        return Finding("scalars", State.SILENT, error.detail)
    return _scalars_files(folder)


async def _blobs(store: Any, settings: Settings) -> Finding:
    if not settings.blobs_url and not (settings.data / "blobs").exists():
        return Finding("blobs", State.OK, "no files are kept yet")
    try:
        await store.check()
    except TrackerError as error:
        return Finding("blobs", State.SILENT, error.detail, "check BLOBS_URL" if settings.blobs_url else "")
    return Finding("blobs", State.OK, "the store answers")


def _scalars_files(folder: Path) -> Finding:
    for file in sorted(folder.glob("*.db")):
        try:
            damage = _damage(file)
        except sqlite3.Error as error:
            damage = str(error)
        if damage is not None:
            text = f"{file} is damaged ({damage}); restore it from a backup, or move it away"
            return Finding("scalars", State.PROBLEM, text)
    return Finding("scalars", State.OK, "the store answers")


def _damage(file: Path) -> str | None:
    """What SQLite finds wrong with a file; reads all of it."""
    with closing(_read_only(file)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return None if verdict == "ok" else str(verdict)


def _read_only(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=5)


def _missing_database(file: Path) -> Finding:
    if data_folder(file.parent).state is not State.OK:
        return Finding(
            "database", State.PROBLEM, f"{file} cannot be made", f"chmod u+rwx {_nearest(file.parent)}"
        )
    return Finding("database", State.OK, f"{file} is not there yet; the first command makes it")


def _sqlite_file(url: str) -> Path | None:
    match = _SQLITE_FILE.match(url)
    return Path(match["path"]) if match and match["path"] != ":memory:" else None


def _nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    return next(place for place in _upwards(path) if place.exists())


def _upwards(path: Path) -> Iterator[Path]:
    absolute = path.absolute()
    yield path
    yield from absolute.parents
