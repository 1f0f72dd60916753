"""Which servers a client of HTTP believes to be who they say they are."""

from __future__ import annotations

import ssl
from functools import cache

import httpx

__all__ = ["authorities", "trust_for"]


def trust_for(address: httpx.URL | str) -> ssl.SSLContext:
    """The ``verify`` of an httpx client of one address.

    A client of plain HTTP is spared the reading of certificates: it trusts nobody, should it ever be led to
    https.
    """
    if httpx.URL(address).scheme == "https":
        return authorities()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def authorities() -> ssl.SSLContext:
    """Whom httpx trusts by default. To read their certificates takes 20 ms, once a process."""
    return httpx.create_ssl_context()
