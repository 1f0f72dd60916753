"""Fixtures that every suite may use: databases of every kind, each test with its own."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import Phase, settings

from tests.compiled_statements import share_compiled_statements
from tests.databases import (
    GIVEN,
    drop_database,
    empty_sqlite_file,
    fresh_postgres_database,
    throwaway_postgres,
)
from tests.temporary import use_memory
from tests.tries import tries
from tracker.adapters.memory import MemoryUnitsOfWork
from tracker.adapters.scalars.postgres import PostgresScalarStore
from tracker.adapters.sql import migrations
from tracker.adapters.sql.database import Database
from tracker.ports.scalars import ScalarStore
from tracker.ports.unit_of_work import UnitsOfWork

# Without the phase that explains failures: it traces every line, which costs ten times what a test does.
settings.register_profile(
    "tracker",
    deadline=None,
    max_examples=tries(50),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
)
settings.load_profile("tracker")

# Hundreds of runs begin here; what they would capture is this repository, and what they would say is noise.
# Tests of either ask for it.
os.environ |= {"TRACKER_CAPTURE": "off", "TRACKER_SILENT": "on"}

use_memory()
share_compiled_statements()


def pytest_configure(config: pytest.Config) -> None:
    """The plugin of what the quick suite leaves out, as every worker takes a second to load it."""
    # Environments with a few of the development packages (`make integrations`, `make ray`) do not have it.
    if config.getoption("markexpr") != "not slow" and find_spec("schemathesis") is not None:
        config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


_SLOW_TO_COLLECT = ("test_http_schemathesis.py", "test_sklearn.py")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Not what is slow all through and takes every worker seconds to collect."""
    is_wanted = config.getoption("markexpr") != "not slow"
    return None if is_wanted or collection_path.name not in _SLOW_TO_COLLECT else True


_ON_POSTGRES = {
    "postgres_url", "module_postgres_url", "scalars_postgres_url", "make_postgres_scalars", "postgres_server",
}  # fmt: skip
_WITH_DATABASES = ("contract", "migrations")  # `make databases` runs these on PostgreSQL


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What the quick suite leaves to others, beside what is marked as slow: see CONTRIBUTING.md."""
    kept: set[object] = set()
    left_out = []
    for item in items:
        area = item.path.relative_to(config.rootpath).parts[1]
        if area == "docs" and item.path.stem.endswith("_guide"):
            item.add_marker("slow")
        elif area != "unit" and not GIVEN.startswith("postgres") and _is_on_postgres(item):
            place = (item.path, getattr(item, "cls", None))
            if area not in _WITH_DATABASES:
                item.add_marker("slow")
            elif place not in kept:
                kept.add(place)
            elif config.getoption("markexpr") == "not slow":
                left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = set(left_out)
        items[:] = [item for item in items if item not in gone]


def _is_on_postgres(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    asked = () if callspec is None else callspec.params.values()
    return any(each == "postgres" for each in asked if isinstance(each, str)) or not _ON_POSTGRES.isdisjoint(
        getattr(item, "fixturenames", ())
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays until the end: no collection of garbage need look at it, now or later."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: many tests wait, for processes and for sockets."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server: TEST_DATABASE_URL's, or one that lives as long as this session."""
    if GIVEN.startswith("postgres"):
        yield GIVEN
        return
    # Not in pytest's folder, which only its owner may enter: the server may run as another user.
    with TemporaryDirectory(prefix="tracker-postgres-") as folder, throwaway_postgres(Path(folder)) as url:
        if url is None:
            pytest.skip("PostgreSQL is not installed (initdb and postgres)")
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """Name of a migrated database on the server, from which others are copied."""
    name = f"tracker_template_{uuid.uuid4().hex[:8]}"
    url = fresh_postgres_database(postgres_server, name)
    migrations.upgrade(url)
    yield name
    drop_database(postgres_server, url)


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """A migrated PostgreSQL database of this test's own."""
    url = fresh_postgres_database(postgres_server, f"t_{uuid.uuid4().hex[:12]}", migrated_postgres)
    yield url
    drop_database(postgres_server, url)


@pytest.fixture(scope="module")
def module_postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """A migrated PostgreSQL database that the tests of a module share."""
    url = fresh_postgres_database(postgres_server, f"m_{uuid.uuid4().hex[:12]}", migrated_postgres)
    yield url
    drop_database(postgres_server, url)


@pytest.fixture
def scalars_postgres_url(postgres_server: str) -> str:
    """An empty PostgreSQL database of this test's own."""
    return fresh_postgres_database(postgres_server, f"s_{uuid.uuid4().hex[:12]}")


@pytest.fixture
def make_postgres_scalars(scalars_postgres_url: str) -> Callable[[], ScalarStore]:
    """Opens a store of time series over one and the same empty PostgreSQL database."""
    return lambda: PostgresScalarStore(scalars_postgres_url)


@pytest.fixture
def sqlite_url() -> str:
    """SQLite in memory, or the file that TEST_DATABASE_URL names, emptied."""
    return empty_sqlite_file(GIVEN) if GIVEN.startswith("sqlite") else "sqlite://"


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def units_url(request: pytest.FixtureRequest) -> str | None:
    """Where the units of work keep things; ``None`` for the in-memory adapters."""
    if request.param == "memory":
        return None
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def units(units_url: str | None) -> AsyncIterator[UnitsOfWork]:
    """Units of work of every adapter, with nothing but the local user in them."""
    if units_url is None:
        yield MemoryUnitsOfWork()
        return
    database = Database(units_url)
    await database.prepare(auto_upgrade=True)
    yield database.units
    await database.dispose()


@pytest.fixture(scope="session")
def clickhouse_folder() -> Iterator[Path]:
    """Where the embedded ClickHouse of this process keeps its databases: it has one folder a process."""
    pytest.importorskip("clickhouse_connect", reason="needs the extra clickhouse")
    pytest.importorskip("chdb", reason="needs the dependency group chdb, the embedded ClickHouse")
    with TemporaryDirectory(prefix="tracker-clickhouse-") as folder:
        yield Path(folder)


@pytest.fixture
def clickhouse_url(clickhouse_folder: Path) -> str:
    """A database of this test's own in the embedded ClickHouse."""
    return f"chdb://{clickhouse_folder}?database=t_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_clickhouse_scalars(clickhouse_url: str) -> Callable[[], ScalarStore]:
    """Opens a store of time series over one and the same empty ClickHouse database."""
    from tracker.adapters.scalars.clickhouse import ClickHouseScalarStore  # its driver is an extra

    return lambda: ClickHouseScalarStore(clickhouse_url)
