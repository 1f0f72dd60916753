"""Runs a Python script as ``__main__`` with its logging to other tools going to its run as well.

Started by ``tracker run --intercept``: ``python -m tracker.integrations.script.inside TOOLS (-m MODULE |
SCRIPT) ARGUMENTS``.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tracker.run.start import join

__all__ = ["TOOLS", "main"]

TOOLS = ("tensorboard", "wandb")
"""What can be intercepted."""


def main(arguments: Sequence[str]) -> None:
    """Runs the script that `arguments` name."""
    tools, *command = arguments
    chosen = tools.split(",")
    if "wandb" in chosen:
        sys.modules["wandb"] = import_module("tracker.compat.wandb")
    if "tensorboard" in chosen:
        import_module("tracker.integrations.tensorboard").intercept(join())
    if command[0] == "-m":
        sys.argv = command[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        sys.path[0] = str(Path(command[0]).resolve().parent)
        runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
