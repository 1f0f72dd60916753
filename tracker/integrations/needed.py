"""Libraries that somebody else installs."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["needed"]


def needed(module: str, package: str, reason: str) -> ModuleType:
    """The module `module`.

    Args:
        module: what to import.
        package: what to install where it is missing.
        reason: what needs it, for the error.

    Raises:
        ImportError: it is not installed; says how to. Whatever else its import raises goes through.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # it is there, and lacks something itself
        raise ImportError(f"{reason} needs {package}: pip install {package}", name=error.name) from error
