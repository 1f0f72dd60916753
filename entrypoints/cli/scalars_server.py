"""``tracker scalars-server``."""

from __future__ import annotations

import click

from .target import Target, on_folder

__all__ = ["scalars_server"]


@click.command("scalars-server")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0 = any free one."
)
@on_folder
@click.pass_context
def scalars_server(ctx: click.Context, host: str, port: int) -> None:
    """Serve a store of scalars to trackers until interrupted.

    The store is the folder's, or what SCALARS_URL names. Trackers find it by SCALARS_SERVICE_URL. Any
    address but loopback needs SCALARS_SERVICE_KEY, here and there.
    """
    settings = ctx.ensure_object(Target).settings()
    from ..http.scalars.server import serve_scalars  # noqa: PLC0415  (late: the web framework)

    serve_scalars(settings, host=host, port=port)
