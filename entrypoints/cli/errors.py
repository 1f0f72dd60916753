"""The one place where errors become exit codes and a line on stderr.

===== ==========================================================================
exit  meaning
===== ==========================================================================
0     done
1     refused: not found, not allowed, not valid, or in conflict with what is there
2     the command line itself is wrong
3     something behind the command did not answer: database, server, disk
130   interrupted
===== ==========================================================================
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

import click

from tracker.domain.errors import (
    AlreadyRegistered,
    BadCredentials,
    NotFound,
    SchemaMismatch,
    StaleVersion,
    TrackerError,
    Unauthenticated,
    Unavailable,
)

from .text import one_line

__all__ = ["INTERRUPTED", "REFUSED", "UNANSWERED", "Failure", "reported"]

REFUSED = 1
UNANSWERED = 3
INTERRUPTED = 130


class _Answer(NamedTuple):
    exit_code: int
    mend: str | None = None


# By family, the most special one first: the first that fits counts.
_ANSWERS: tuple[tuple[type[Exception], _Answer], ...] = (
    (SchemaMismatch, _Answer(UNANSWERED, "tracker db upgrade")),
    (Unavailable, _Answer(UNANSWERED, "tracker doctor")),
    (Unauthenticated, _Answer(REFUSED, "tracker login URL")),
    (NotFound, _Answer(REFUSED)),
    (StaleVersion, _Answer(REFUSED)),
    (TrackerError, _Answer(REFUSED)),
    (OSError, _Answer(UNANSWERED, "tracker doctor")),
)

# What the sentence of something missing begins with, and what lists such things.
_LISTS = {
    "user": "tracker user list",
    "team": "tracker team list",
    "member": "tracker team show TEAM",
    "grant": "tracker permission list",
    "hypothesis": "tracker hypothesis list",
    "API token": "tracker token list",
    "dataset": "tracker dataset ls",
    "job": "tracker job ls",
    "workflow": "tracker workflow ls",
    "model": "tracker model ls",
    "": "tracker project list",
}

# Errors whose own text is a code that web front ends look for.
_SENTENCES: dict[type[Exception], str] = {
    BadCredentials: "the e-mail address or the password is wrong",
    AlreadyRegistered: "there is a user with this e-mail address; `tracker user list` shows all",
}


class Failure(click.ClickException):
    """An expected failure: a line on stderr, perhaps one that shows where, and an exit code.

    Args:
        message: what is wrong.
        exit_code: see the module.
        mend: the command that puts it right, if there is one and `message` names none.
        below: lines that show where, safe to print.
    """

    def __init__(
        self,
        message: str,
        exit_code: int = REFUSED,
        mend: str | None = None,
        below: Sequence[str] = (),
    ) -> None:
        names_one = mend is None or "tracker " in message or "run: " in message
        super().__init__(one_line(message if names_one else f"{message}; try: {mend}"))
        self.below = tuple(below)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes the line, and those below it."""
        for line in (f"tracker: {self.message}", *self.below):
            click.echo(line, file=file, err=file is None)


@contextmanager
def reported() -> Iterator[None]:
    """Turns the expected errors of what runs inside into a :class:`Failure`.

    An error that nobody expected passes: its traceback is what a report about it needs.
    """
    try:
        yield
    except (KeyboardInterrupt, click.Abort) as error:
        raise click.exceptions.Exit(INTERRUPTED) from error
    except (TrackerError, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            raise  # the reader left: click ends quietly
        raise _failure(error) from error


def _failure(error: Exception) -> Failure:
    answer = next(answer for family, answer in _ANSWERS if isinstance(error, family))
    text = error.detail if isinstance(error, TrackerError) else str(error)
    mend = answer.mend
    if isinstance(error, NotFound):
        mend = next(command for kind, command in _LISTS.items() if text.startswith(kind))
    return Failure(_SENTENCES.get(type(error), text), answer.exit_code, mend)
