"""The question before something is lost."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from .errors import REFUSED, Failure

__all__ = ["confirm", "yes_option"]

yes_option: Callable[[Any], Any] = click.option(
    "--yes", is_flag=True, help="Do not ask; needed where nobody can answer."
)


def confirm(question: str, *, yes: bool) -> None:
    """Goes on when `yes` was given or the person at the terminal agrees.

    Raises:
        click.UsageError: there is nobody to ask.
        Failure: they do not agree.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is at the terminal to answer: add --yes")
    if not click.confirm(question, err=True):
        raise Failure("nothing was done", REFUSED)
