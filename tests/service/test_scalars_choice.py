"""SCALARS_URL chooses the store of time series."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tracker.container import scalar_store
from tracker.domain.errors import Invalid
from tracker.settings import Settings


@pytest.mark.parametrize(
    ("variable", "url", "store"),
    [
        ("SCALARS_URL", "", "EmbeddedScalarStore"),
        ("SCALARS_URL", "postgresql://user@127.0.0.1/db", "PostgresScalarStore"),
        ("SCALARS_URL", "postgresql+asyncpg://user@127.0.0.1/db", "PostgresScalarStore"),
        ("SCALARS_URL", "clickhouse://127.0.0.1/db", "ClickHouseScalarStore"),
        ("CLICKHOUSE_URL", "clickhouses://127.0.0.1/db", "ClickHouseScalarStore"),
        ("SCALARS_URL", "http://127.0.0.1:8001", "HttpScalarStore"),
        ("SCALARS_SERVICE_URL", "http://127.0.0.1:8001", "HttpScalarStore"),
    ],
)
async def test_scheme_of_the_url_names_the_store(tmp_path: Path, variable: str, url: str, store: str) -> None:
    settings = Settings.load(environ={variable: url, "TRACKER_DATA": str(tmp_path)})
    opened = scalar_store(settings)
    assert type(opened).__name__ == store
    await opened.close()


@pytest.mark.parametrize("url", ["mysql://user:secret@h/db", "postgresql", "clickhouse:///secret", "secret"])
def test_url_of_no_store_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid, match="SCALARS_URL") as raised:
        scalar_store(Settings(scalars_url=url))
    assert "://" not in url or "secret" not in str(raised.value)


def test_two_urls_that_differ_are_refused() -> None:
    with pytest.raises(Invalid, match="CLICKHOUSE_URL"):
        scalar_store(Settings(scalars_url="postgresql://h/db", clickhouse_url="clickhouse://h/db"))


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [("postgresql://h/db", "asyncpg", "postgres"), ("clickhouse://h/db", "clickhouse_connect", "clickhouse")],
)
def test_missing_driver_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, url: str, driver: str, extra: str
) -> None:
    ours = f"tracker.adapters.scalars.{'postgres' if driver == 'asyncpg' else 'clickhouse'}"
    for name in [name for name in sys.modules if name.split(".")[0] == driver or name.startswith(ours)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(Invalid, match=rf"tracker\[{extra}\]"):
        scalar_store(Settings(scalars_url=url))
