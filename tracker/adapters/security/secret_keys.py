"""The keys that seal secrets, in a file that only its owner may read."""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tracker.adapters.security.private_file import changing, replace
from tracker.domain.errors import Invalid, Unavailable

__all__ = ["SecretKey", "SecretKeyFile"]

_KEY_BYTES = 32
_ID_BYTES = 8


@dataclass(frozen=True)
class SecretKey:
    """A key for AES-256, and the name by which sealed values say which one opens them."""

    id: str
    secret: bytes = field(repr=False)


class SecretKeyFile:
    """Keys, newest first. What one process changes, others see when they ask next.

    Whoever loses this file loses every value: it belongs into a backup, apart from the one of the database.

    Args:
        path: the file; made, with mode 600 and one key, when it is first needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def keys(self) -> tuple[SecretKey, ...]:
        """The keys, the one that seals first.

        Raises:
            Unavailable: the file cannot be read or made.
            Invalid: others may read it, or it holds something else.
        """
        try:
            return self._read()
        except FileNotFoundError:
            with self._changing():
                if not self.path.exists():
                    self._write([_new_key()])
                return self._read()
        except OSError as error:
            raise Unavailable(f"cannot read the keys of secrets in {self.path}: {error.strerror}") from error

    def add(self) -> SecretKey:
        """A new key, before all others; durable when it returns. Raises what :meth:`keys` raises."""
        with self._changing():
            old = self._read() if self.path.exists() else ()
            new = _new_key()
            self._write([new, *old])
        return new

    def drop(self, before: str) -> int:
        """Forgets the keys that are older than the one with the id `before`, if that is there.

        Returns:
            How many.

        Raises:
            Unavailable: the file cannot be read or written.
            Invalid: others may read it, or it holds something else.
        """
        with self._changing():
            keys = self._read() if self.path.exists() else ()
            kept = [place for place, key in enumerate(keys) if key.id == before]
            if not kept or kept[0] + 1 == len(keys):
                return 0
            self._write(keys[: kept[0] + 1])
            return len(keys) - kept[0] - 1

    def _read(self) -> tuple[SecretKey, ...]:
        with self.path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise Invalid(f"the keys of secrets can be read by others; run: chmod 600 {self.path}")
            return self._parsed(file.read())

    def _parsed(self, content: bytes) -> tuple[SecretKey, ...]:
        # What was read stays out of errors: it is keys.
        try:
            keys = tuple(_from_json(each) for each in json.loads(content)["keys"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Invalid(f"{self.path} does not hold keys of secrets; bring it back from a backup") from None
        if not keys:
            raise Invalid(f"{self.path} holds no key; bring it back from a backup")
        return keys

    def _write(self, keys: Sequence[SecretKey]) -> None:
        replace(self.path, json.dumps({"keys": [_to_json(key) for key in keys]}, indent=1))

    def _changing(self) -> AbstractContextManager[None]:
        return changing(self.path, "the keys of secrets")


def _new_key() -> SecretKey:
    return SecretKey(secrets.token_hex(_ID_BYTES), secrets.token_bytes(_KEY_BYTES))


def _to_json(key: SecretKey) -> dict[str, str]:
    return {"id": key.id, "secret": b64encode(key.secret).decode()}


def _from_json(value: Mapping[str, Any]) -> SecretKey:
    secret = b64decode(value["secret"], validate=True)
    if len(secret) != _KEY_BYTES or not isinstance(value["id"], str):
        raise ValueError("not a key for AES-256")
    return SecretKey(value["id"], secret)
