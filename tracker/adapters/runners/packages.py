"""What a Ray cluster is given: zip files, called by what is in them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

__all__ = ["Package", "package", "tracker_package"]

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file knows
_SOURCE = Path(__file__).resolve().parents[2]


class Package(NamedTuple):
    """A zip file.

    Attributes:
        name: as the cluster calls it; the same for the same content.
        content: the bytes.
    """

    name: str
    content: bytes

    @property
    def uri(self) -> str:
        """As a runtime environment names it."""
        return f"gcs://{self.name}"


def package(files: Mapping[str, bytes]) -> Package:
    """A zip file of these, by their paths in it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, files[name])
    content = written.getvalue()
    return Package(f"_ray_pkg_{sha256(content).hexdigest()[:40]}.zip", content)


@cache
def tracker_package() -> Package:
    """The code of tracker as it is here, so that a worker and its desk are of one version."""
    paths = (path for path in _SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return package({path.relative_to(_SOURCE.parent).as_posix(): path.read_bytes() for path in paths})
