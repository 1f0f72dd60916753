"""The console script: finds the command line, installed or in a checkout, and runs it."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    """Runs ``tracker`` with the arguments of the process."""
    try:
        import_module(f"{_entrypoints()}.cli.main").main()
    except KeyboardInterrupt:  # before the command line could catch it itself
        sys.exit(130)


def _entrypoints() -> str:
    """The name of the package of entrypoints; a wheel has it inside ``tracker``, a checkout beside it."""
    if find_spec("tracker.entrypoints") is not None:
        return "tracker.entrypoints"
    # First, since an unrelated package of this name is on PyPI and may be installed.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    return "entrypoints"


if __name__ == "__main__":
    main()
