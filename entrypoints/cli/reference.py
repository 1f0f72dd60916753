"""The reference page of the command line, made from the commands themselves.

Run ``python -m entrypoints.cli.reference > docs/reference/cli.md`` after a change; a test compares.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from .main import cli

__all__ = ["commands", "markdown"]

_INTRODUCTION = """\
# Command line

Made from the commands by `python -m entrypoints.cli.reference`; change them, not this page.

The same commands work on a folder (`--data DIR`) and against a server (`--url URL`); both may stand before
the command or behind it. Without either, `TRACKER_URL` and `TRACKER_DATA` count, then `./data`. The token for
a server is `TRACKER_TOKEN`, or else what `tracker login` kept. Tokens and passwords are no arguments, since
those of a process are visible to everybody on a machine: they are asked for, or come on stdin.

`--json` prints the domain's own fields (`snake_case`; the API's `order` is `position`). Ids and times are
text, a number that is not finite is `"NaN"`, `"Infinity"` or `"-Infinity"`. Tables are framed on a terminal
and plain, never cut, in a pipe. Colours are on a terminal alone; `NO_COLOR` and `--no-color` take them away.

An EXPERIMENT is an id, a whole name, a number by the project's naming patterns, or the beginning of an id
that no other has; [more](../guide/command-line.md).

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused: not found, not allowed, not valid, or in conflict with what is there |
| 2 | the command line itself is wrong |
| 3 | something behind the command did not answer: database, server, disk |
| 130 | interrupted |

Errors are one line on stderr; where a command mends it, the line ends with it. A filter that does not parse
is shown below it, with a caret under the mistake.
"""


def commands(command: click.Command = cli, path: str = "tracker") -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it, groups before what is in them."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from commands(child, f"{path} {name}")


def markdown() -> str:
    """The whole page."""
    return "\n".join([_INTRODUCTION, *(_section(path, command) for path, command in commands())])


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    lines = [f"{'#' * (path.count(' ') + 2)} `{path}`", "", f"    {usage}", "", text, ""]
    rows = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
        for record in [parameter.get_help_record(context)]
        if record
    ]
    if rows:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{_cell(option)}` | {_cell(meaning)} |" for option, meaning in rows]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


if __name__ == "__main__":
    click.echo(markdown(), nl=False)
