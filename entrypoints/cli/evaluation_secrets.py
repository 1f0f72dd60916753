"""``tracker secret``."""

from __future__ import annotations

import sys
from urllib.parse import quote

import click

from .evaluation_api import EvaluationApi, with_evaluation
from .output import Column, as_json_option, print_json, print_table
from .secret_input import secret_from_stdin

__all__ = ["secret"]

_COLUMNS = (
    Column("name", lambda each: each["name"]),
    Column("description", lambda each: each["description"]),
)


@click.group()
def secret() -> None:
    """Secrets: keys of model endpoints. Once kept, no command shows one again."""


@secret.command("set")
@click.argument("name")
@click.option("--description", default="", help="What it is for.")
@with_evaluation
def set_secret(api: EvaluationApi, name: str, description: str) -> None:
    """Keep a secret under NAME, whatever its case.

    The value is typed, or read from the first line of stdin; it is never an argument.
    """
    if sys.stdin.isatty():
        value = click.prompt("Value", hide_input=True, err=True)
    else:
        value = secret_from_stdin("secret")
    is_new = api.put(
        f"/settings/secrets/{quote(name, safe='')}", {"value": value, "description": description}
    )
    click.echo(f"{name.strip().lower()}: {'kept' if is_new else 'replaced'}", err=True)


@secret.command("ls")
@as_json_option
@with_evaluation
def list_secrets(api: EvaluationApi, as_json: bool) -> None:
    """List your secrets, without their values."""
    found = api.get("/settings/secrets/")
    if as_json:
        print_json(found)
    else:
        print_table(_COLUMNS, found, empty="no secrets; `tracker secret set NAME` keeps one")


@secret.command()
@click.argument("name")
@with_evaluation
def rm(api: EvaluationApi, name: str) -> None:
    """Forget the secret NAME."""
    api.delete(f"/settings/secrets/{quote(name, safe='')}")


@secret.command()
@as_json_option
@with_evaluation
def rotate(api: EvaluationApi, as_json: bool) -> None:
    """Seal all secrets of a folder by a new key, and forget the older ones."""
    found = api.rotate_secrets()
    if as_json:
        print_json(found)
        return
    click.echo(f"{found.resealed} sealed by key {found.key_id}, {found.dropped} older keys dropped")
    if found.unreadable:
        click.echo(f"no key opens {', '.join(found.unreadable)}: set these anew, then rotate again", err=True)
