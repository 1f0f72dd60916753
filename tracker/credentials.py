"""Tokens of servers to which somebody logged in, in a file that only they may read."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tracker.domain.errors import Invalid, Unavailable

__all__ = ["Credentials", "address_of"]

_PORTS = {"http": 80, "https": 443}


def address_of(url: str) -> str:
    """The form in which a server's address is kept and compared: scheme, host, port and path.

    Raises:
        Invalid: `url` is not the address of an HTTP server.
    """
    shown = url.rpartition("@")[2]  # what stands before it may be a password
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise Invalid.field("url", f"{shown!r} is not an address: {error}") from error
    scheme, host = parts.scheme.lower(), parts.hostname
    if scheme not in _PORTS or not host:
        raise Invalid.field("url", f"{shown!r} is not an address such as http://127.0.0.1:8000")
    name = f"[{host}]" if ":" in host else host
    where = name if port in (None, _PORTS[scheme]) else f"{name}:{port}"
    return f"{scheme}://{where}{parts.path.rstrip('/')}"


class Credentials:
    """``credentials.json``: one token a server.

    Args:
        path: the file; its folder is made, with mode 700, for the first token.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, url: str) -> str | None:
        """The token for the server at `url`; ``None`` where nobody logged in.

        Raises:
            Invalid: others may read the file, or it holds something else; says what to run.
            Unavailable: it cannot be read.
        """
        return self._read().get(address_of(url))

    def keep(self, url: str, token: str) -> None:
        """Keeps the token for the server at `url`, in place of another one. Raises as :meth:`find`."""
        with self._changing():
            self._write({**self._read(), address_of(url): token})

    def forget(self, url: str) -> None:
        """Drops the token for the server at `url`, if there is one. Raises as :meth:`find`."""
        with self._changing():
            kept = self._read()
            if kept.pop(address_of(url), None) is not None:
                self._write(kept)

    def _read(self) -> dict[str, str]:
        try:
            with self.path.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise Invalid(f"others can read your tokens; run: chmod 600 {self.path}")
                found = json.load(file)["servers"]
                return {str(url): str(entry["token"]) for url, entry in found.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Unavailable(f"cannot read {self.path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Invalid(f"{self.path} does not hold tokens; run: mv {self.path} {self.path}.old") from error

    def _write(self, tokens: Mapping[str, str]) -> None:
        content = {"servers": {url: {"token": token} for url, token in sorted(tokens.items())}}
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".credentials-")  # mode 600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Of several logins at once none is lost."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise Unavailable(f"cannot write {self.path}: {error.strerror}") from error
