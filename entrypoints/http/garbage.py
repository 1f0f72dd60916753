"""Python's search for cyclic garbage, in a server."""

from __future__ import annotations

import gc

__all__ = ["spare_what_stays"]


def spare_what_stays() -> None:
    """Leaves what a server has loaded at its start out of every later search.

    It is there for good: modules, schemas, routes, 127,000 objects. To look through them took 50 to
    75 ms, every half second under load, and in that time the server answered nobody.
    """
    gc.collect()
    gc.freeze()
