"""Secrets that people type or pipe in: never arguments, which everybody on a machine can read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

__all__ = ["new_password", "password_stdin_option", "present_password", "secret_from_stdin"]

password_stdin_option: Callable[[Any], Any] = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
)


def secret_from_stdin(what: str) -> str:
    """The first line of stdin.

    Args:
        what: it is, for the error.

    Raises:
        click.UsageError: it is empty or no text.
    """
    try:
        line = sys.stdin.buffer.readline().decode("utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the {what} on stdin is not UTF-8 text") from error
    secret = line.rstrip("\r\n")
    if not secret:
        raise click.UsageError(f"there is no {what} on stdin")
    return secret


def new_password(*, from_stdin: bool) -> str:
    """A password to be, which a person types twice. Raises as :func:`present_password`."""
    return _password(from_stdin=from_stdin, twice=True)


def present_password(*, from_stdin: bool) -> str:
    """The password of an account.

    Raises:
        click.UsageError: there is nobody to ask, and it is not on stdin.
    """
    return _password(from_stdin=from_stdin, twice=False)


def _password(*, from_stdin: bool, twice: bool) -> str:
    if from_stdin:
        return secret_from_stdin("password")
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is at the terminal to type the password: add --password-stdin")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=twice, err=True)
    return typed
