"""The command ``tracker``."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from .cells import color_option, color_variable
from .errors import reported
from .lazy import LazyCommand, LazyGroup
from .target import on_target, token_option

__all__ = ["cli", "main"]

_COMMANDS = {
    "ls": LazyCommand("ls", "ls", "List the experiments for which FILTER holds."),
    "tree": LazyCommand(
        "tree",
        "tree",
        "Draw which experiment derives from which, and how the main metric changed from parent to child.",
    ),
    "show": LazyCommand(
        "show", "show", "Show everything about EXPERIMENT, and what changed against its parent."
    ),
    "branches": LazyCommand(
        "branches",
        "branches",
        "List what EXPERIMENT had logged and gave up when it was resumed at an earlier step.",
    ),
    "diff": LazyCommand("difference", "diff", "Show in what two EXPERIMENTs differ, old -> new."),
    "project": LazyCommand("projects", "project", "Projects: what belongs together."),
    "experiment": LazyCommand("experiments", "experiment", "Experiments: runs and their family."),
    "metric": LazyCommand("metrics", "metric", "Metrics: the final values of experiments."),
    "compare": LazyCommand(
        "compare", "compare", "Tell what differs between experiments, and whether it mattered."
    ),
    "hypothesis": LazyCommand("hypotheses", "hypothesis", "Hypotheses: claims, and what experiments say."),
    "restore": LazyCommand(
        "restore", "restore", "Write the files that EXPERIMENT ran with to a folder, byte by byte."
    ),
    "rerun": LazyCommand(
        "rerun",
        "rerun",
        "Run EXPERIMENT again: its files, its command, its variables. The new run is a child of it.",
    ),
    "artifact": LazyCommand("artifacts", "artifact", "Artifacts: the files of experiments."),
    "scalars": LazyCommand("scalars", "scalars", "Scalars: the time series of experiments."),
    "run": LazyCommand(
        "run",
        "run",
        "Run a script, and track it: COMMAND is a Python script or any program, with its arguments.",
    ),
    "sync": LazyCommand("sync", "sync", "Send what runs left in the journal: offline, killed or cut off."),
    "import": LazyCommand("importing", "import_group", "Bring in what other tools have kept."),
    "export": LazyCommand(
        "exporting", "export", "Write a project, or one experiment, as a folder of JSON and CSV or Parquet."
    ),
    "evaluate": LazyCommand(
        "evaluate",
        "evaluate",
        "Evaluate models on DATASET, a file or the id of a dataset; no server is needed.",
    ),
    "dataset": LazyCommand("datasets", "dataset", "Datasets: what models are evaluated on."),
    "model": LazyCommand("models", "model", "Models: the catalogue of those that are offered."),
    "job": LazyCommand("jobs", "job", "Jobs: the steps of evaluations, and how they go."),
    "workflow": LazyCommand(
        "workflows", "workflow", "Workflows: one model on an evaluation's dataset, and its scores."
    ),
    "secret": LazyCommand(
        "evaluation_secrets",
        "secret",
        "Secrets: keys of model endpoints. Once kept, no command shows one again.",
    ),
    "user": LazyCommand("users", "user", "Users: who may log in."),
    "team": LazyCommand("teams", "team", "Teams: people who share projects."),
    "token": LazyCommand("tokens", "token", "API tokens: a part of what you may do, for a program."),
    "permission": LazyCommand("permissions", "permission", "Permissions: single actions, beside roles."),
    "audit": LazyCommand("audit", "audit", "The audit log: who did what, when and from where."),
    "login": LazyCommand("login", "login", "Log in to a server, and keep a token for it."),
    "logout": LazyCommand("login", "logout", "Revoke the token that is kept for a server, and forget it."),
    "whoami": LazyCommand("login", "whoami", "Show in whose name commands run."),
    "db": LazyCommand("db", "db", "The database's schema: look at it and move it."),
    "server": LazyCommand("server", "server", "Serve a folder over HTTP until interrupted."),
    "scalars-server": LazyCommand(
        "scalars_server", "scalars_server", "Serve a store of scalars to trackers until interrupted."
    ),
    "keys": LazyCommand("keys", "keys", "The keys that sign login sessions."),
    "demo": LazyCommand("demo", "demo", "Train a family of real models and track them."),
    "doctor": LazyCommand("doctor", "doctor", "Check what tracker needs, and say what mends it."),
    "completion": LazyCommand("completion", "completion", "Print the script that completes commands."),
}


class _Root(LazyGroup):
    """Reports what its commands raise, however it is called."""

    def invoke(self, ctx: click.Context) -> Any:
        with reported():
            return super().invoke(ctx)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            click.echo(f"tracker {version('tracker')}")
        except PackageNotFoundError:
            click.echo("tracker (from a checkout)")
        ctx.exit()


@click.group(
    cls=_Root,
    lazy=_COMMANDS,
    name="tracker",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@token_option
@color_variable
@color_option
@lambda command: on_target(command, envvar="TRACKER_URL")
def cli() -> None:
    """Track machine-learning experiments, in a folder or on a server.

    Exit codes: 0 done, 1 refused, 2 wrong usage, 3 something behind it did not answer.
    """


def main() -> None:
    """Runs the command line and ends the process."""
    _make_output_safe()
    cli.main(prog_name="tracker")


def _make_output_safe() -> None:
    """Has every text printable: where the encoding lacks a character as its escape, and to nowhere
    when the shell has closed the output (``>&-``)."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  (as open as the process is)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
