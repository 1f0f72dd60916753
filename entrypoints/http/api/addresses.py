"""Addresses of this server, as answers name them."""

from __future__ import annotations

from urllib.parse import quote

__all__ = ["API_V1", "Addresses"]

API_V1 = "/api/v1"


class Addresses:
    """Makes URLs that reach this server from where its callers are.

    Args:
        public_url: where people reach it; ``None`` = under the address at which it is asked.
    """

    api_path = API_V1

    def __init__(self, public_url: str | None) -> None:
        self._public_url = None if public_url is None else public_url.rstrip("/")

    def of_api(self, root: str) -> str:
        """Of the API; `root` is the address under which it was asked."""
        return f"{self._public_url or root}{API_V1}"

    def of_file(self, root: str, link: str) -> str:
        """Of what a link leads to."""
        return f"{self.of_api(root)}/files/{quote(link, safe='')}"
