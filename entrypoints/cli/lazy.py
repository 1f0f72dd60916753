"""Commands that are imported when they run, so that ``--help`` answers at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import click

__all__ = ["LazyCommand", "LazyGroup", "quick_imports"]


@contextmanager
def quick_imports() -> Iterator[None]:
    """Imports inside make very many objects that stay. Looking for rubbish among them, meanwhile and once
    more at the end of the process, takes a fifth of the time of a short command: it is left out."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


class LazyCommand(NamedTuple):
    """Where a command is, and what ``--help`` says of it before it is imported.

    Attributes:
        module: a module of this package, relative to it.
        attribute: the command's name in there.
        summary: one line; a test holds it to the command's own.
    """

    module: str
    attribute: str
    summary: str


class LazyGroup(click.Group):
    """A group whose commands live in modules that nobody has imported yet.

    Args:
        lazy: the commands by name, in the order in which help shows them.
    """

    def __init__(self, *args: Any, lazy: dict[str, LazyCommand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, without an import."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; ``None`` when there is none of this name."""
        entry = self._lazy.get(cmd_name)
        if entry is None:
            return None
        with quick_imports():
            module = import_module(f".{entry.module}", __package__)
        command: click.Command = getattr(module, entry.attribute)
        # Errors of click suggest near names out of this table.
        self.commands.setdefault(cmd_name, command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the table of commands from the summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self._lazy.items()])
