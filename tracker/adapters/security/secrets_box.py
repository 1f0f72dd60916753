"""Secrets encrypted and authenticated by AES-256-GCM (NIST SP 800-38D)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.adapters.security.secret_keys import SecretKey, SecretKeyFile
from tracker.domain.errors import Unavailable
from tracker.domain.evaluation.secrets import PlainSecret, SealedSecret, bound_to
from tracker.domain.ids import UserId

__all__ = ["AesGcmSecretsBox"]

# 96 bits, drawn by chance: SP 800-38D allows 2 ** 32 of them with one key.
_NONCE_BYTES = 12


class AesGcmSecretsBox:
    """A :class:`~tracker.ports.evaluation.secrets.SecretsBox` over a file of keys.

    Args:
        path: of the file, such as ``secret-keys.json`` of the data folder.
    """

    def __init__(self, path: Path) -> None:
        self._file = SecretKeyFile(path)

    @property
    def key_id(self) -> str:
        """See the port."""
        return self._file.keys()[0].id

    def seal(self, owner_id: UserId, name: str, secret: PlainSecret) -> SealedSecret:
        """See the port."""
        with _from_extra():
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra
        key = self._file.keys()[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        bound = bound_to(owner_id, name, key.id)
        ciphertext = AESGCM(key.secret).encrypt(nonce, secret.value.encode(), bound)
        return SealedSecret(name=name, key_id=key.id, nonce=nonce, ciphertext=ciphertext)

    def open(self, owner_id: UserId, sealed: SealedSecret) -> PlainSecret:
        """See the port."""
        with _from_extra():
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
        key = self._key(sealed)
        try:
            value = AESGCM(key.secret).decrypt(sealed.nonce, sealed.ciphertext, sealed.bound_to(owner_id))
            return PlainSecret(value=value.decode())
        except (InvalidTag, ValueError) as error:
            raise Unavailable(
                f"the secret {sealed.name} is not what was stored; store its value again", 3600
            ) from error

    def add_key(self) -> str:
        """See the port. Where it could not be used, none is made."""
        with _from_extra():
            import cryptography  # noqa: F401, PLC0415
        return self._file.add().id

    def drop_keys(self, before: str) -> int:
        """See the port."""
        return self._file.drop(before)

    def _key(self, sealed: SealedSecret) -> SecretKey:
        known = {key.id: key for key in self._file.keys()}  # noqa: SIM118 - it is no mapping
        if (key := known.get(sealed.key_id)) is None:
            raise Unavailable(
                f"the key {sealed.key_id} of the secret {sealed.name} is not in {self._file.path}; "
                "bring that file back, or store the secret's value again",
                3600,
            )
        return key


@contextmanager
def _from_extra() -> Iterator[None]:
    """Around the imports of what only secrets need."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise Unavailable("secrets need their extra; run: pip install 'tracker[evaluation]'", 3600) from error
