"""``tracker run``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from .target import Target, on_target

if TYPE_CHECKING:
    from tracker.run.run import Run
    from tracker.settings import Settings

__all__ = ["run"]


def _setting(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    from tracker.integrations.script.flags import typed  # noqa: PLC0415  (late, as all below)

    found = {}
    for text in values:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", ctx, param)
        found[name] = typed(value)
    return found


def _tools(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    from tracker.integrations.script.inside import TOOLS  # noqa: PLC0415

    chosen = tuple(tool.strip() for tool in (value or "").split(",") if tool.strip())
    for tool in chosen:
        if tool not in TOOLS:
            raise click.BadParameter(f"{tool!r} is none of {', '.join(TOOLS)}", ctx, param)
    return chosen


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--project", "-p", metavar="NAME", help="The project (default: TRACKER_PROJECT).")
@click.option("--name", metavar="NAME", help="The experiment's name (default: its number).")
@click.option(
    "--param", "params", metavar="NAME=VALUE", multiple=True, callback=_setting,
    help="A parameter; it goes before a flag of the script of this name. Repeatable.",
)  # fmt: skip
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="A tag. Repeatable.")
@click.option("--parent", metavar="EXPERIMENT", help="What it derives from: an id or a name.")
@click.option("--description", metavar="TEXT", help="Free text about it.")
@click.option("--capture/--no-capture", default=None, help="Whether code and packages are kept.")
@click.option("--console/--no-console", default=True, help="Whether what it prints is kept.")
@click.option(
    "--intercept", "tools", metavar="TOOLS", callback=_tools,
    help="Has what a Python script logs by these go to the run: tensorboard, wandb (between commas).",
)  # fmt: skip
@click.option("--module", "-m", metavar="MODULE", help="Run a Python module, as python -m does.")
@on_target
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    command: tuple[str, ...],
    module: str | None,
    tools: tuple[str, ...],
    console: bool,
    params: dict[str, Any],
    **fields: Any,
) -> None:
    """Run a script, and track it: COMMAND is a Python script or any program, with its arguments.

    Its flags become parameters, its output is kept, and how it ends is how the run ends; its exit code
    is passed on. A script that calls tracker.init() itself writes to the same run.
    """
    from tracker.integrations.script.flags import params_of  # noqa: PLC0415

    arguments = _arguments(command, is_script=module is None)
    started = _command(module, arguments, tools, ctx)
    flags = params_of(arguments if module is not None else arguments[1:])
    target = ctx.ensure_object(Target)
    with TemporaryDirectory(prefix="tracker-run-") as folder:
        begun, settings = _begin(target, {**flags, **params}, fields)
        _into_environment(settings, begun)
        ctx.exit(_run(begun, started, Path(folder) / "console.log" if console else None))


def _arguments(command: tuple[str, ...], *, is_script: bool) -> tuple[str, ...]:
    """The command without the ``--`` that may stand between the script and its arguments."""
    place = 1 if is_script else 0
    if not is_script or command:
        if command[place : place + 1] == ("--",):
            return command[:place] + command[place + 1 :]
        return command
    raise click.UsageError("name a script to run, such as: tracker run --project p train.py -- --lr 0.1")


def _command(
    module: str | None, arguments: tuple[str, ...], tools: tuple[str, ...], ctx: click.Context
) -> list[str]:
    """What is started: Python scripts by this Python, everything else as it is."""
    if module is not None:
        python = ["-m", module, *arguments]
    elif arguments[0].endswith((".py", ".pyc")):
        if not Path(arguments[0]).is_file():
            raise click.UsageError(f"there is no script {arguments[0]}", ctx)
        python = list(arguments)
    else:
        if tools:
            raise click.UsageError("--intercept works for Python scripts and modules", ctx)
        found = shutil.which(arguments[0])
        if found is None:
            raise click.UsageError(f"there is no program {arguments[0]}", ctx)
        return [found, *arguments[1:]]
    inside = ["-m", "tracker.integrations.script.inside", ",".join(tools)] if tools else []
    return [sys.executable, *inside, *python]


def _begin(target: Target, params: dict[str, Any], fields: dict[str, Any]) -> tuple[Run, Settings]:
    import tracker  # noqa: PLC0415
    from tracker.run.joining import tell_guests  # noqa: PLC0415
    from tracker.settings import Settings  # noqa: PLC0415

    given = {name: value for name, value in fields.items() if value}
    if fields.get("capture") is not None:
        given["capture"] = fields["capture"]
    place: dict[str, Any] = {"data": target.data, "url": target.url, "token": target.token}
    begun = tracker.init(**given, **{name: value for name, value in place.items() if value is not None})
    begun.params(params)
    tell_guests(begun)
    settings = Settings.load(data=target.data)
    return begun, settings.evolve(url=target.url or "")  # empty: no other server either


def _into_environment(settings: Settings, begun: Run) -> None:
    """What the script is to find in its environment: where its run is kept, and which one it is."""
    told = {"project": begun.project, "run_key": begun.key, "join": True, "capture": False, "console": False}
    settings.evolve(data=settings.data.resolve(), **told).export()


def _run(begun: Run, command: list[str], console: Path | None) -> int:
    from tracker.integrations.script.process import run_command  # noqa: PLC0415

    try:
        ending = run_command(command, console=console)
    except BaseException as error:
        begun.finish_by(error)
        raise
    if console is not None and console.stat().st_size:
        begun.file(console, name="console.log", kind="console")
    begun.flush()  # what the script logged itself comes first: with the end, parameters stay as they are
    if ending.is_good:
        begun.finish()
    else:
        begun.finish("failed", kind=ending.kind, reason=ending.reason)
    return ending.shell_code
