"""A request as it comes in."""

from __future__ import annotations

from typing import Any

import falcon.asgi

__all__ = ["Request"]


class Request(falcon.asgi.Request):
    """Falcon's, which also knows whether there is anything to wait for.

    Attributes:
        is_whole: whether all of the body came with the head.
    """

    __slots__ = ("is_whole",)

    def __init__(self, scope: Any, receive: Any, first_event: Any = None, options: Any = None) -> None:
        super().__init__(scope, receive, first_event=first_event, options=options)
        self.is_whole = first_event is not None and not first_event.get("more_body", False)
