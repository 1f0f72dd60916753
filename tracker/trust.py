"""Which servers a client of HTTP believes to be who they say they are."""

from __future__ import annotations

import ssl

import httpx

__all__ = ["trust_for"]


def trust_for(address: httpx.URL | str) -> ssl.SSLContext:
    """The ``verify`` of an httpx client of one address.

    To read the certificates of all authorities takes 20 ms, which a client of plain HTTP is spared: it trusts
    nobody, should it ever be led to https.
    """
    if httpx.URL(address).scheme == "https":
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
