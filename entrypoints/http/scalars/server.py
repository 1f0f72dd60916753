"""Runs the scalars service: uvicorn, one process."""

from __future__ import annotations

from tracker.adapters.system.clock import SystemClock
from tracker.adapters.system.ids import UuidV7Generator
from tracker.container import scalar_store
from tracker.domain.errors import Invalid
from tracker.settings import Settings

from ..auth import is_loopback
from ..garbage import spare_what_stays
from ..logs import configure
from ..server import serve_alone
from .app import create_scalars_app

__all__ = ["serve_scalars"]


def serve_scalars(settings: Settings, host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serves the settings' store of scalars until SIGINT or SIGTERM, then finishes what it accepted.

    Args:
        settings: name the store and the key.
        host: an address of this machine.
        port: 0 takes a free one; the log tells which.

    Raises:
        Invalid: other machines could connect and there is no key, or the store is another service.
    """
    if not is_loopback(host) and not settings.scalars_service_key:
        raise Invalid.field(
            "SCALARS_SERVICE_KEY",
            f"other machines can reach {host}: set a key that all trackers share",
        )
    if settings.scalars_service_url or settings.scalars_url.startswith("http"):
        raise Invalid.field(
            "SCALARS_SERVICE_URL", "the service needs a store of its own; unset it (and SCALARS_URL=http...)"
        )
    configure(settings.log_format, settings.log_level)
    app = create_scalars_app(
        scalar_store(settings),
        SystemClock(),
        UuidV7Generator(),
        key=settings.scalars_service_key,
        at_start=spare_what_stays,
    )
    serve_alone(app, host, port)
