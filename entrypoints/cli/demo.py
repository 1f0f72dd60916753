"""``tracker demo``."""

from __future__ import annotations

import click

from .target import Target, on_folder

__all__ = ["demo"]


@click.command()
@click.option("--evaluation", is_flag=True, help="Evaluate three small summarisers on docstrings instead.")
@on_folder
@click.pass_context
def demo(ctx: click.Context, evaluation: bool) -> None:
    """Train a family of real models and track them."""
    target = ctx.ensure_object(Target)
    if target.url is not None:
        raise click.UsageError("the demo works on a folder: leave out --url (and TRACKER_URL)")
    if evaluation:
        from .evaluation_demo import run_evaluation  # noqa: PLC0415

        run_evaluation(target)
        return
    from tracker.demo import run  # noqa: PLC0415  (late: numpy and the training)

    run(target.data)
