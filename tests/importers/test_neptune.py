"""Parquet files by the documented schema of neptune-exporter.

The exporter is on no package registry and exports from a server, so it cannot write files in a test. These
are written with pyarrow, which it writes with too, by the schema in its README and the names and parts of its
writer (``PROJECT/RUN_part_N.parquet``, Snappy, one record batch after the other).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.importers.tools import bits, imported, series_of

SCHEMA = pa.schema([
    ("project_id", pa.string()),
    ("run_id", pa.string()),
    ("attribute_path", pa.string()),
    ("attribute_type", pa.string()),
    ("step", pa.decimal128(18, 6)),
    ("timestamp", pa.timestamp("ms", tz="UTC")),
    ("int_value", pa.int64()),
    ("float_value", pa.float64()),
    ("string_value", pa.string()),
    ("bool_value", pa.bool_()),
    ("datetime_value", pa.timestamp("ms", tz="UTC")),
    ("string_set_value", pa.list_(pa.string())),
    ("file_value", pa.struct([("path", pa.string())])),
    (
        "histogram_value",
        pa.struct([
            ("type", pa.string()), ("edges", pa.list_(pa.float64())), ("values", pa.list_(pa.float64())),
        ]),
    ),
])  # fmt: skip
START = datetime(2024, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def attribute(run: str, path: str, kind: str, value: Any) -> dict[str, Any]:
    return {"run_id": run, "attribute_path": path, "attribute_type": kind, f"{kind}_value": value}


def point(run: str, path: str, step: str, value: float) -> dict[str, Any]:
    at = START + timedelta(seconds=float(step))
    return {
        "run_id": run, "attribute_path": path, "attribute_type": "float_series", "step": Decimal(step),
        "timestamp": at, "float_value": value,
    }  # fmt: skip


def write(folder: Path, run: str, part: int, rows: list[dict[str, Any]]) -> None:
    folder = folder / "org_digits-0123456789abcdef"
    folder.mkdir(parents=True, exist_ok=True)
    whole = [dict.fromkeys(SCHEMA.names) | {"project_id": "org/digits"} | row for row in rows]
    with parquet.ParquetWriter(
        folder / f"{run}-fedcba_part_{part}.parquet", SCHEMA, compression="snappy"
    ) as file:
        file.write_batch(pa.RecordBatch.from_pylist(whole, schema=SCHEMA))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    write(folder, "RUN-2", 0, [
        attribute("RUN-2", "sys/name", "string", "fox"),
        attribute("RUN-2", "sys/creation_time", "datetime", START),
        attribute("RUN-2", "sys/tags", "string_set", ["a", "b"]),
        attribute("RUN-2", "sys/description", "string", "a note"),
        attribute("RUN-2", "config/lr", "float", 0.1),
        attribute("RUN-2", "config/layers", "int", 3),
        attribute("RUN-2", "config/bn", "bool", True),
        {**attribute("RUN-2", "files/model", "file", {"path": "model.pt"})},
        *(point("RUN-2", "loss", str(step), 1 / (step + 3)) for step in range(50)),
    ])  # fmt: skip
    write(folder, "RUN-2", 1, [point("RUN-2", "loss", str(step), 1 / (step + 3)) for step in range(50, 90)])
    write(folder, "RUN-1", 0, [
        attribute("RUN-1", "sys/failed", "bool", True),
        attribute("RUN-1", "sys/forking/parent", "string", "RUN-2"),
        point("RUN-1", "loss", "0.5", 1.5), point("RUN-1", "loss", "1", float("inf")),
    ])  # fmt: skip
    return folder


def test_attributes_and_series_of_all_parts(exported: Path, run, library) -> None:
    result = run("import", "neptune-parquet", exported, "--step-multiplier", "10")
    assert result.exit_code == 0, result.output
    found = imported(library, "org/digits")
    first, second = found["fox"], found["RUN-1"]
    assert series_of(library, first) == {
        "loss": (
            [step * 10 for step in range(90)],
            [round((START.timestamp() + step) * 1000) * 1000 for step in range(90)],
            bits([1 / (step + 3) for step in range(90)]),
        )
    }
    assert dict(first.params) == {"config/lr": 0.1, "config/layers": 3, "config/bn": True}
    assert (set(first.tags), first.description, first.started_at) == ({"a", "b"}, "a note", START)
    assert (second.status, second.parent_id) == ("failed", first.id)
    assert series_of(library, second)["loss"][::2] == ([5, 10], bits([1.5, float("inf")]))
    assert "not carried: file files/model: is no number" in result.output
    assert "(0 new)" in run("import", "neptune-parquet", exported, "--step-multiplier", "10").output


def test_steps_that_are_not_whole_fail_and_name_the_option(exported: Path, run, library) -> None:
    result = run("import", "neptune-parquet", exported)
    assert result.exit_code == 1
    assert "DIFFERS: RUN-1: points of loss: have steps that are not whole; --step-multiplier" in result.output
    assert len(series_of(library, imported(library, "org/digits")["fox"])["loss"][0]) == 90


def test_parquet_of_something_else_is_told_in_one_line(tmp_path: Path, run) -> None:
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    (tmp_path / "y.parquet").write_bytes(b"none")
    for name, said in (("x", "has no column project_id"), ("y", "is no Parquet file")):
        result = run("import", "neptune-parquet", tmp_path / f"{name}.parquet")
        assert result.exit_code == 1 and result.output.count("\n") == 1 and said in result.output
