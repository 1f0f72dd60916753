"""What a command works on: a folder or a server."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from .lazy import quick_imports
from .text import one_line

if TYPE_CHECKING:
    from tracker.blocking import Tracker
    from tracker.settings import Settings

__all__ = ["Target", "on_folder", "on_target", "token_option", "with_library"]

_Command = Callable[..., Any]


@dataclass
class Target:
    """The folder or the server that the options name; without either, the settings' folder.

    Attributes:
        data: ``--data``.
        url: ``--url``, or ``TRACKER_URL`` from the environment.
        url_was_typed: the environment gives way to a ``--data`` that was typed.
        token: ``TRACKER_TOKEN`` from the environment, for a server.
    """

    data: Path | None = None
    url: str | None = None
    url_was_typed: bool = False
    token: str | None = field(default=None, repr=False)

    def choose(self, ctx: click.Context, param: click.Parameter, value: Any) -> None:
        """Takes over one of the two options; the last place where it is typed counts."""
        typed = ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE
        if param.name == "data":
            self.data = value
        else:
            self.url, self.url_was_typed = value, typed
        if self.data is not None and self.url is not None:
            if self.url_was_typed:
                raise click.UsageError("--data and --url exclude each other: a folder or a server", ctx)
            self.url = None

    def open(self) -> Tracker:
        """The library's front door onto it, to be used as a context manager."""
        # Late, here and below: it is what makes commands slow to start.
        if self.url is not None:
            with quick_imports():
                import tracker  # noqa: PLC0415

            return tracker.open(url=self.url, token=self.token)
        with quick_imports():
            from tracker.blocking import Tracker  # noqa: PLC0415
            from tracker.embedded import connect  # noqa: PLC0415

        settings = self.settings()
        return Tracker(lambda: connect(settings, origin="shell"))

    def settings(self) -> Settings:
        """The settings of the folder.

        Raises:
            click.UsageError: the target is a server, whose settings are its own.
        """
        from tracker.settings import Settings  # noqa: PLC0415

        if self.url is not None:
            raise click.UsageError("this command works on a folder: leave out --url (and TRACKER_URL)")
        return Settings.load(data=self.data)


def _chosen(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and not ctx.resilient_parsing:
        ctx.ensure_object(Target).choose(ctx, param, value)


def _token_from_environment(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE:
        # Everybody on a machine can read the arguments of its processes.
        raise click.UsageError("a token is no argument: export TRACKER_TOKEN=... or run tracker login", ctx)
    if value and not ctx.resilient_parsing:
        ctx.ensure_object(Target).token = value


token_option = click.option(
    "--token", envvar="TRACKER_TOKEN", hidden=True, expose_value=False, callback=_token_from_environment
)
"""Takes the token out of the environment, and refuses it as an argument."""


def on_folder(command: _Command) -> _Command:
    """Gives a command ``--data``."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        expose_value=False,
        callback=_chosen,
        help="The folder to work on (default: TRACKER_DATA, or ./data).",
    )(command)


def on_target(command: _Command, *, envvar: str | None = None) -> _Command:
    """Gives a command ``--data`` and ``--url``."""
    url = click.option(
        "--url",
        envvar=envvar,
        expose_value=False,
        callback=_chosen,
        help="The server to work on (default: TRACKER_URL; its token: TRACKER_TOKEN, or tracker login).",
    )
    return on_folder(url(command))


@contextmanager
def _warnings_told() -> Iterator[None]:
    """The library's warnings as lines on stderr."""
    from tracker.warning import TrackerWarning  # noqa: PLC0415  (late, with the library)

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, TrackerWarning):
            click.echo(f"warning: {one_line(str(message))}", err=True)
        else:
            usual(message, category, *place, **more)

    with warnings.catch_warnings():
        warnings.simplefilter("always", TrackerWarning)
        usual, warnings.showwarning = warnings.showwarning, show
        yield


def with_library(command: _Command) -> _Command:
    """Gives a command ``--data`` and ``--url``, and passes it the opened library first."""

    @click.pass_context
    def opened(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        with ctx.ensure_object(Target).open() as library, _warnings_told():
            return command(library, *args, **kwargs)

    return on_target(functools.update_wrapper(opened, command))
