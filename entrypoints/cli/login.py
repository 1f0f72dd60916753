"""``tracker login|logout|whoami``."""

from __future__ import annotations

import asyncio
import platform
import sys
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from tracker.credentials import Credentials, address_of
from tracker.domain.errors import TrackerError, Unauthenticated

from .errors import REFUSED, Failure
from .output import as_json_option, print_json
from .secret_input import password_stdin_option, present_password, secret_from_stdin
from .target import with_library
from .text import one_line
from .users import print_account

if TYPE_CHECKING:
    from tracker.areas.identity import Account
    from tracker.blocking import Tracker

__all__ = ["login", "logout", "whoami"]


@click.command()
@click.argument("url")
@click.option("--email", help="Asked for on a terminal.")
@password_stdin_option
@click.option("--token-stdin", is_flag=True, help="Keep the token on stdin instead of making one.")
@click.option("--session", "as_session", is_flag=True, help="Keep the login itself: it may administer users.")
@click.option("--name", help="Of the API token (default: the name of this machine).")
@click.option(
    "--expires-in-days", type=click.IntRange(1, 3650), default=90, show_default=True, help="The API token."
)
@as_json_option
def login(
    url: str,
    *,
    email: str | None,
    password_stdin: bool,
    token_stdin: bool,
    as_session: bool,
    name: str | None,
    expires_in_days: int,
    as_json: bool,
) -> None:
    """Log in to a server, and keep a token for it.

    URL is the server's address. The token is an API token, in a file that only you can read. It may do
    all that you may, but neither administer users nor change your password; --session keeps a login
    that may, and that ends sooner. TRACKER_TOKEN, where it is set, wins over the file.
    """
    if token_stdin and (password_stdin or as_session or email):
        raise click.UsageError("--token-stdin goes without --email, --password-stdin and --session")
    url = address_of(url)
    _warn_of_plain_text(url)
    kept = _credentials()
    before = kept.find(url)
    if token_stdin:
        token = secret_from_stdin("token")
        account = asyncio.run(_whose(url, token))
    else:
        email = email or _typed_email()
        password = present_password(from_stdin=password_stdin)
        label = None if as_session else (name or f"login on {platform.node() or 'this machine'}")
        token, account = asyncio.run(_logged_in(url, email, password, label, expires_in_days))
    kept.keep(url, token)
    if before is not None and before != token:
        with suppress(TrackerError):  # it may have ended, and is forgotten in any case
            asyncio.run(_ended(url, before))
    if as_json:
        print_json({"url": url, "file": str(kept.path), "user": account})
    else:
        click.echo(f"logged in to {url} as {one_line(account.email)}")


@click.command()
@click.argument("url")
@click.option("--local", is_flag=True, help="Only forget the token here; it stays valid on the server.")
def logout(url: str, local: bool) -> None:
    """Revoke the token that is kept for a server, and forget it."""
    url = address_of(url)
    kept = _credentials()
    token = kept.find(url)
    if token is None:
        raise Failure(f"nobody is logged in to {url}", REFUSED, f"tracker login {url}")
    if not local:
        with suppress(Unauthenticated):  # it has ended already
            asyncio.run(_ended(url, token))
    kept.forget(url)


@click.command()
@as_json_option
@with_library
def whoami(library: Tracker, as_json: bool) -> None:
    """Show in whose name commands run.

    Of a folder it is its owner, of a server whose token is used.
    """
    print_account(library.users.me(), as_json)


def _credentials() -> Credentials:
    from tracker.settings import Settings  # noqa: PLC0415  (late: pydantic)

    path = Settings.load().credentials
    if path is None:
        raise Failure("there is no home folder to keep a token in; run: export XDG_CONFIG_HOME=/some/folder")
    return Credentials(path)


def _typed_email() -> str:
    if not sys.stdin.isatty():
        raise click.UsageError("nobody is at the terminal to type the e-mail address: add --email")
    typed: str = click.prompt("E-mail", err=True)
    return typed


def _warn_of_plain_text(url: str) -> None:
    parts = urlsplit(url)
    is_here = parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127.")
    if parts.scheme == "http" and not is_here:
        click.echo("tracker: this connection is not encrypted; others may read the password", err=True)


async def _logged_in(
    url: str, email: str, password: str, label: str | None, days: int
) -> tuple[str, Account]:
    """A token for who knows the password: an API token called `label`, or the session itself."""
    import tracker  # noqa: PLC0415  (late: it is what makes commands slow to start)
    from tracker.remote_identity import log_in, log_out  # noqa: PLC0415

    session = await log_in(url, email, password)
    async with tracker.aopen(url=url, token=session) as library:
        account = await library.users.me()
        if label is None:
            return session, account
        try:
            made = await library.tokens.create(label, scopes=["*"], expires_in_days=days)
        finally:
            await log_out(url, session)
    return made.token, account


async def _whose(url: str, token: str) -> Account:
    import tracker  # noqa: PLC0415

    async with tracker.aopen(url=url, token=token) as library:
        return await library.users.me()


async def _ended(url: str, token: str) -> None:
    """Ends an API token, by itself, or a session."""
    import tracker  # noqa: PLC0415
    from tracker.domain.identity.tokens.api_token import parse_api_token  # noqa: PLC0415
    from tracker.remote_identity import log_out  # noqa: PLC0415

    parsed = parse_api_token(token)
    if parsed is None:
        await log_out(url, token)
        return
    async with tracker.aopen(url=url, token=token) as library:
        await library.tokens.revoke(parsed[0])
