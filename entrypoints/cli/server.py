"""``tracker server``."""

from __future__ import annotations

import click

from .target import Target, on_folder

__all__ = ["server"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 = any free one."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@on_folder
@click.pass_context
def server(ctx: click.Context, host: str, port: int, workers: int) -> None:
    """Serve a folder over HTTP until interrupted."""
    settings = ctx.ensure_object(Target).settings()
    from ..http.server import serve  # noqa: PLC0415  (late: the web framework; one package in the wheel)

    serve(settings, host=host, port=port, workers=workers)
