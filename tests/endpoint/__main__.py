"""``python -m tests.endpoint PORT SECONDS PAID [KEY]``: the endpoint in a process of its own."""

from __future__ import annotations

import logging
import sys

import uvicorn

from tests.endpoint.misbehaving import AbortableProtocol, MisbehavingEndpoint


def main(port: str, seconds: str, paid: str, key: str | None = None) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # cut connections are no news here
    endpoint = MisbehavingEndpoint(seconds=float(seconds), key=key, paid=paid or None)
    uvicorn.run(
        endpoint, host="127.0.0.1", port=int(port), http=AbortableProtocol, log_config=None, access_log=False,
        ws="none", backlog=4096,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
