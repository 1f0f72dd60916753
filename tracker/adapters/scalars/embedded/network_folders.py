"""Refuses folders in which SQLite's write-ahead log does not work."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["refuse_network_folder"]

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "ceph", "gpfs", "beegfs", "9p", "afs"}
_NETWORK |= {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.ceph", "fuse.rclone"}


@lru_cache(maxsize=64)
def refuse_network_folder(folder: Path, mounts: Path = _MOUNTS) -> None:
    """Returns when `folder` is on this machine.

    Raises:
        Unavailable: it is on a network file system, which has no shared memory between machines.
    """
    kind = file_system(folder, mounts)
    if kind in _NETWORK:
        raise Unavailable(
            f"{folder} is on a network file system ({kind}), where scalars could be lost: put the data"
            " folder on a local disk, or log through a server",
            retry_after=60.0,
        )


def file_system(folder: Path, mounts: Path) -> str | None:
    """The type of file system `folder` is on; ``None`` where the system does not tell."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    best, kind = "", None
    resolved = folder.resolve()
    for line in lines:
        before, _, after = line.partition(" - ")
        point = before.split(" ")[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if len(point) >= len(best) and resolved.is_relative_to(point):
            best, kind = point, after.split(" ", 1)[0]
    return kind
