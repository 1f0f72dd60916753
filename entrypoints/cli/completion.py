"""``tracker completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands.

    \b
    bash:  eval "$(tracker completion bash)"     in ~/.bashrc
    zsh:   eval "$(tracker completion zsh)"      in ~/.zshrc
    fish:  tracker completion fish | source      in ~/.config/fish/config.fish
    """  # noqa: D301  (an escape is what click wants)
    script = get_completion_class(shell)
    if script is None:  # pragma: no cover  (click has all three)
        raise click.UsageError(f"click does not know {shell}")
    click.echo(script(ctx.find_root().command, {}, "tracker", "_TRACKER_COMPLETE").source())
