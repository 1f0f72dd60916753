"""What ``tracker doctor`` looks at where people have accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tracker.domain.errors import TrackerError, Unavailable
from tracker.domain.identity.actor import LOCAL_USER, local_actor
from tracker.settings import Settings

from .finding import Finding, State

__all__ = ["account_findings", "private_file"]


async def account_findings(settings: Settings, container: Any) -> AsyncIterator[Finding]:
    """Looks at what keeps a team's folder safe; at nothing where nobody has an account."""
    keys = settings.data / "signing-keys.json"
    if keys.exists():
        yield private_file("signing keys", keys)
    try:
        users = await container.accounts().list(local_actor("shell"))
    except TrackerError:
        return  # the database's own check has told it
    people = [user for user in users if user.id != LOCAL_USER]
    if not people:
        return
    yield _administrator(any(user.is_superuser and user.is_active for user in people))
    yield _extra()
    if container.database().file is not None:
        yield private_file("database file", Path(container.database().file))


def private_file(name: str, file: Path) -> Finding:
    """Whether nobody else on this machine can read a file that holds what proves who people are."""
    mode = file.stat().st_mode & 0o777
    if mode & 0o077:
        text = f"others on this machine can get at {file} (mode {mode:03o})"
        return Finding(name, State.PROBLEM, text, f"chmod 600 {file}")
    return Finding(name, State.OK, f"{file} is yours alone")


def _administrator(is_there: bool) -> Finding:
    if is_there:
        return Finding("administrator", State.OK, "there is one")
    mend = "tracker user create --admin EMAIL"
    return Finding("administrator", State.PROBLEM, "nobody administers the accounts", mend)


def _extra() -> Finding:
    from tracker.container import require_extra  # noqa: PLC0415  (late: SQLAlchemy)

    try:
        require_extra()
    except Unavailable:
        text = "the packages for accounts are missing"
        return Finding("extra", State.PROBLEM, text, "pip install 'tracker[team]'")
    return Finding("extra", State.OK, "the packages for accounts are installed")
