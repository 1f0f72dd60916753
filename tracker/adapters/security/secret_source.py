"""Secrets from the operating system."""

from __future__ import annotations

import secrets

__all__ = ["SystemSecrets"]


class SystemSecrets:
    """A :class:`~tracker.ports.secrets.SecretSource`."""

    def new(self, size: int) -> bytes:
        """See the port."""
        return secrets.token_bytes(size)
