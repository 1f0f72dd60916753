"""What a user installs: one wheel, one package, from an empty folder, beside PyPI's `entrypoints`."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("sqlalchemy", "numpy", "falcon", "httpx", "rich", "pydantic")
MAX_PACKAGES, MAX_MEGABYTES = 30, 130


def run(*command: object, cwd: Path, timeout: float = 300) -> str:
    inherited = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "DATABASE_URL"}}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_importing_tracker_loads_nothing_heavy() -> None:
    loaded = run(sys.executable, "-c", "import tracker, sys; print(*sys.modules)", cwd=ROOT).split()
    assert not set(HEAVY) & set(loaded)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a clean environment that has the wheel and PyPI's `entrypoints`."""
    folder = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    binaries = folder / "venv" / "bin"
    pip = (binaries / "python", "-m", "pip", "install", "--quiet", "--no-compile")
    run(*pip, "--constraint", ROOT / "constraints.txt", wheel, "entrypoints", cwd=folder)
    return binaries


@pytest.mark.slow
def test_the_wheel_has_exactly_one_top_level_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"tracker"}
    assert {"tracker/entrypoints/__init__.py", "tracker/adapters/sql/_migrations/env.py"} <= set(names)
    assert "tracker/adapters/sql/_migrations/__init__.py" not in names
    assert not [name for name in names if name.endswith(".pyc")]


@pytest.mark.slow
def test_the_other_entrypoints_module_is_still_its_own(installed: Path, tmp_path: Path) -> None:
    program = "import entrypoints; print(entrypoints.get_group_all)"
    assert "function" in run(installed / "python", "-c", program, cwd=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["--help", "db upgrade", "demo"])
def test_the_command_works_from_an_empty_folder(command: str, installed: Path, tmp_path: Path) -> None:
    assert run(installed / "tracker", *command.split(), cwd=tmp_path) is not None


@pytest.fixture
def server(installed: Path, tmp_path: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([installed / "tracker", "server", "--port", str(port)], cwd=tmp_path)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.slow
def test_the_server_of_the_wheel_is_healthy(server: str) -> None:
    assert status_once_it_listens(f"{server}/api/health") == 200


def status_once_it_listens(url: str) -> int:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


@pytest.mark.slow
def test_the_installation_stays_small(installed: Path, tmp_path: Path) -> None:
    freeze = run(installed / "python", "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    packages = {re.split("==", line)[0].lower() for line in freeze.split()} - {
        "pip",
        "setuptools",
        "entrypoints",
    }
    (site,) = (installed.parent / "lib").glob("python*/site-packages")
    others = ("pip", "setuptools", "_distutils_hack", "pkg_resources")
    size = sum(
        path.stat().st_size
        for path in site.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.relative_to(site).parts[0].startswith(others)
    )
    assert len(packages) <= MAX_PACKAGES, sorted(packages)
    assert size <= MAX_MEGABYTES * 1e6, f"{size / 1e6:.0f} MB"
