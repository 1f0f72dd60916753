"""Interpreters to run a script with: what they have, and new ones with what is wanted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tracker.domain.errors import Unavailable

__all__ = ["add_tracker", "make_environment", "packages_of", "version_of"]

_LIST = (
    "import importlib.metadata as m, json;"
    "found = [d for d in m.distributions() if d.metadata['Name']];"
    "print(json.dumps({d.metadata['Name']: d.version for d in reversed(found)}))"
)
_SECONDS = 60.0


def packages_of(python: str) -> Mapping[str, str]:
    """Version by name of what an interpreter has.

    Raises:
        Unavailable: it is not there, or does not work.
    """
    found: dict[str, str] = json.loads(_answer([python, "-c", _LIST]))
    return found


def version_of(python: str) -> str:
    """An interpreter's version, such as ``3.12.4``.

    Raises:
        Unavailable: it is not there, or does not work.
    """
    return _answer([python, "-c", "import platform; print(platform.python_version())"]).strip()


def make_environment(folder: Path, version: str, lines: Sequence[str], environ: Mapping[str, str]) -> str:
    """Makes a virtual environment with packages, by ``uv`` where it is installed, else by ``pip``.

    Args:
        folder: to be made.
        version: of Python that is wanted; ``uv`` looks for it, ``pip`` takes the one there is.
        lines: requirements, of which no further dependencies are looked for.
        environ: the process's environment.

    Returns:
        Its interpreter.

    Raises:
        Unavailable: it could not be made; the installer has told why.
    """
    uv = shutil.which("uv", path=environ.get("PATH"))
    python = folder / "bin" / "python"
    wanted = folder.parent / f"{folder.name}-requirements.txt"
    if uv is None:
        _run([sys.executable, "-m", "venv", str(folder)])
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    else:
        _run([uv, "venv", "--quiet", "--python", version, str(folder)])
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    if lines:
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            _run([*install, "--no-deps", "--requirement", str(wanted)])
        finally:
            wanted.unlink()
    return str(python)


def add_tracker(python: str) -> None:
    """Has an interpreter find the tracker that runs here, behind all that it has itself.

    Raises:
        Unavailable: it does not work.
    """
    package = Path(__file__).resolve().parents[1]
    site = Path(_answer([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip())
    found_in = package.parent
    if not (found_in / "pyproject.toml").exists():  # what is installed beside it shall not come along
        found_in = site.parent / "tracker-of-rerun"
        found_in.mkdir(exist_ok=True)
        (found_in / package.name).symlink_to(package)
    (site / "tracker-of-rerun.pth").write_text(f"{found_in}\n", encoding="utf-8")


def _answer(words: Sequence[str]) -> str:
    try:
        return subprocess.run(  # noqa: S603  (a list, and no shell)
            words, check=True, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Unavailable(f"{words[0]} is no Python that works: {error}") from error


def _run(words: Sequence[str]) -> None:
    try:
        subprocess.run(words, check=True, stdin=subprocess.DEVNULL)  # noqa: S603  (a list, and no shell)
    except subprocess.CalledProcessError as error:
        told = f"{Path(words[0]).name} ended with {error.returncode}"
        raise Unavailable(f"the environment could not be made: {told}") from error
    except OSError as error:
        raise Unavailable(f"the environment could not be made: {error}") from error
