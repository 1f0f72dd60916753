"""The keys that sign session tokens, in a file that only its owner may read."""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tracker.adapters.security.private_file import changing, replace
from tracker.domain.errors import Invalid, Unavailable

__all__ = ["KeyFile", "SigningKey"]

_KEY_BYTES = 32


@dataclass(frozen=True)
class SigningKey:
    """A key and its name, which every token says (``kid``).

    Attributes:
        retired_at: when it was replaced; it signs nothing new since then.
    """

    name: str
    secret: bytes = field(repr=False)
    created_at: datetime
    retired_at: datetime | None = None


class KeyFile:
    """``signing-keys.json`` of a data folder, newest key first.

    Args:
        path: the file; made, with mode 600 and one key, when it is first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int, int] | None = None
        self._keys: Mapping[str, SigningKey] = {}

    def keys(self) -> Mapping[str, SigningKey]:
        """The keys by name, the one that signs first; read again when the file has changed.

        Raises:
            Unavailable: the file is not there or cannot be read.
            Invalid: others may read it, or it holds something else.
        """
        try:
            now = os.stat(self.path)  # noqa: PTH116 - half the cost of Path.stat, and asked for each request
            if (now.st_mtime_ns, now.st_size, now.st_ino) != self._seen:
                self._keys = self._read(now.st_mode)
                self._seen = (now.st_mtime_ns, now.st_size, now.st_ino)
        except OSError as error:
            raise Unavailable(f"cannot read the signing keys in {self.path}: {error.strerror}") from error
        return self._keys

    def ensure(self, now: datetime) -> None:
        """Makes the file with a first key where there is none. Raises what :meth:`keys` raises."""
        with self._changing():
            if not self.path.exists():
                self._write([_new_key(now)])
        self.keys()

    def rotate(self, now: datetime, longest_session: timedelta) -> SigningKey:
        """Makes a new key that signs from now on; older ones still hold while their tokens can.

        Args:
            now: when.
            longest_session: for how long a token can hold. With zero, all older keys go at once, and
                with them every session.
        """
        with self._changing():
            old = list(self.keys().values()) if self.path.exists() else []
            new = _new_key(now)
            retired = [SigningKey(k.name, k.secret, k.created_at, k.retired_at or now) for k in old]
            self._write([new, *(k for k in retired if (k.retired_at or now) + longest_session > now)])
        return new

    def _read(self, mode: int) -> Mapping[str, SigningKey]:
        if mode & 0o077:
            raise Invalid(f"the signing keys can be read by others; run: chmod 600 {self.path}")
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            keys = [_from_json(each) for each in content["keys"]]
        except (ValueError, KeyError, TypeError) as error:
            raise Invalid(f"{self.path} does not hold signing keys") from error
        if not keys:
            raise Invalid(f"{self.path} holds no signing key")
        return {key.name: key for key in keys}

    def _write(self, keys: list[SigningKey]) -> None:
        replace(self.path, json.dumps({"keys": [_to_json(key) for key in keys]}, indent=1))

    def _changing(self) -> AbstractContextManager[None]:
        return changing(self.path, "the signing keys")


def _new_key(now: datetime) -> SigningKey:
    return SigningKey(secrets.token_hex(8), secrets.token_bytes(_KEY_BYTES), now)


def _to_json(key: SigningKey) -> dict[str, object]:
    return {
        "name": key.name,
        "secret": b64encode(key.secret).decode(),
        "created_at": key.created_at.isoformat(),
        "retired_at": key.retired_at and key.retired_at.isoformat(),
    }


def _from_json(value: Mapping[str, Any]) -> SigningKey:
    secret = b64decode(value["secret"], validate=True)
    if len(secret) < _KEY_BYTES:
        raise ValueError("too short for a key")
    retired = value.get("retired_at")
    return SigningKey(
        str(value["name"]),
        secret,
        datetime.fromisoformat(value["created_at"]),
        None if retired is None else datetime.fromisoformat(retired),
    )
