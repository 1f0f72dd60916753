"""The errors and warnings of the wandb-shaped module."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import Any, NoReturn

from tracker.warning import TrackerWarning

__all__ = ["CommError", "ConfigError", "Error", "NotCarriedError", "UsageError", "ignored", "refused"]

GUIDE = "docs/guide/coming-from-wandb.md lists what is carried"
_told: set[str] = set()


class Error(Exception):
    """As ``wandb.Error``: above all others."""


class UsageError(Error):
    """A call that makes no sense as it is."""


class CommError(Error):
    """As ``wandb.errors.CommError``; nothing here raises it."""


class ConfigError(Error):
    """A configuration's value would change without ``allow_val_change``."""


class NotCarriedError(Error, NotImplementedError):
    """A part of wandb that there is nothing for here."""


def refused(what: str, instead: str = "") -> NoReturn:
    """Says that a script cannot do this here.

    Raises:
        NotCarriedError: always.
    """
    hint = f"{instead}; " if instead else ""
    raise NotCarriedError(f"wandb.{what} is not part of tracker.compat.wandb: {hint}{GUIDE}")


def ignored(what: str, why: str = "it means nothing here") -> None:
    """Warns, once for each `what`, that something was given and does nothing."""
    if what not in _told:
        _told.add(what)
        warn(f"{what} is ignored: {why}")


def warn(text: str, **options: Any) -> None:
    """Warns; where warnings are raised nothing happens, for they must not end a training."""
    with suppress(TrackerWarning):
        warnings.warn(text, TrackerWarning, stacklevel=options.get("stacklevel", 4))
