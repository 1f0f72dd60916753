"""Tables and histograms of a run, read back by what is written in them."""

from __future__ import annotations

import json
import math
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tries import tries
from tracker.domain.errors import Invalid
from tracker.run.media import encoded

cells = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=8)
)  # fmt: skip


def read(data: bytes) -> tuple[dict[str, str], list[list[Any]]]:
    """Types by name, and rows with the numbers that JSON has no token for."""
    head, *lines = data.decode().split("\n")[:-1]
    columns = {each["name"]: each["type"] for each in json.loads(head)["columns"]}
    rows = [json.loads(line) for line in lines]
    numbers = [index for index, kind in enumerate(columns.values()) if kind == "float"]
    for row in rows:
        for index in numbers:
            row[index] = None if row[index] is None else float(row[index])
    return columns, rows


def table(rows: Any, **options: Any) -> tuple[dict[str, str], list[list[Any]], list[str]]:
    told: list[str] = []
    found = encoded("table", rows, tell=told.append, **options)
    columns, kept = read(found.data)
    assert found.metadata == {
        "columns": [{"name": name, "type": kind} for name, kind in columns.items()],
        "rows": len(kept),
    }
    return columns, kept, told


class Polars:
    """What a frame of polars offers."""

    def __init__(self, **columns: list[Any]) -> None:
        self._columns = columns
        self.columns = list(columns)

    def get_column(self, name: str) -> Any:
        return Cells(self._columns[name])


class Cells:
    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells

    def to_list(self) -> list[Any]:
        return self._cells


ROWS = [[1, 0.5, "x", None], [2, math.inf, "y", None]]
TYPES = {"n": "int", "v": "float", "s": "text", "no": "text"}


@pytest.mark.parametrize(
    "rows",
    [
        [{"n": 1, "v": 0.5, "s": "x", "no": None}, {"n": 2, "v": math.inf, "s": "y"}],
        {"n": [1, 2], "v": np.array([0.5, math.inf]), "s": ("x", "y"), "no": [None, None]},
        pd.DataFrame({"n": [1, 2], "v": [0.5, math.inf], "s": ["x", "y"], "no": pd.array([pd.NA] * 2)}),
        pd.DataFrame(
            {"v": [0.5, math.inf], "s": ["x", "y"], "no": [pd.NaT] * 2}, index=pd.Index([1, 2], name="n")
        ),
        pa.table({"n": [1, 2], "v": [0.5, math.inf], "s": ["x", "y"], "no": pa.nulls(2, pa.string())}),
        Polars(n=[1, 2], v=[0.5, math.inf], s=["x", "y"], no=[None, None]),
    ],
    ids=["dicts", "columns", "pandas", "pandas-index", "pyarrow", "polars"],
)  # fmt: skip
def test_every_form_of_a_table_gives_the_same_rows(rows: Any):
    assert table(rows) == (TYPES, ROWS, [])


def test_lists_take_the_names_of_their_cells():
    assert table(ROWS, columns=["n", "v", "s", "no"]) == (TYPES, ROWS, [])
    assert table(np.array([[1, 2], [3, 4]]), columns=["a", "b"])[1] == [[1, 2], [3, 4]]
    assert table([], columns=["a"]) == ({"a": "text"}, [], [])


def test_columns_choose_of_what_has_names():
    assert table([{"a": 1, "b": 2}], columns=["b"])[:2] == ({"b": "int"}, [[2]])
    assert table(pd.DataFrame({"a": [1], "b": [2]}), columns=["b", "a"])[1] == [[2, 1]]


@settings(max_examples=tries(200), deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1)
    )
)
def test_every_cell_is_read_back(rows: list[list[Any]]):
    names = [f"c{index}" for index in range(len(rows[0]))]
    columns, kept, told = table(rows, columns=names)
    assert told == []
    for index, kind in enumerate(columns.values()):
        before, after = [row[index] for row in rows], [row[index] for row in kept]
        if kind == "float":
            assert np.array_equal(np.array(after, float), np.array(before, float), equal_nan=True)
        elif kind != "mixed":
            assert after == before
        present = {type(cell) for cell in before if cell is not None}
        assert (kind == "mixed") == (len(present) > 1 and present != {int, float})


def test_cells_of_other_kinds_are_kept_as_what_comes_nearest():
    row = {
        "t": date(2026, 1, 2),
        "f": np.float32(0.5),
        "l": [1, {"a": 2}],
        "k": int,
        "o": object(),
        "h": 2**70,
    }
    columns, (kept,), told = table([row])
    assert kept == ["2026-01-02", 0.5, [1, {"a": 2}], "int", "<object object>", str(2**70)]
    assert list(columns.values()) == ["text", "float", "json", "text", "text", "text"]
    assert len(told) == 2 and "rows.o" in told[0] and "rows.h" in told[1]


@pytest.mark.parametrize(
    ("rows", "columns", "field", "why"),
    [
        ([[1]], None, "columns", "names of their cells"),
        ([[1, 2], [1]], ["a", "b"], "rows", "row 1 has 1 cells for 2 columns"),
        ([1], ["a"], "rows", "row 0 is a int"),
        (["ab"], ["a", "b"], "rows", "row 0 is a str"),
        ({"a": [1], "b": [1, 2]}, None, "rows", "column 'b' has 2 cells"),
        ({"a": "text"}, None, "rows", "column 'a' must be a list"),
        ([{"a": 1}], ["b"], "columns", "no column 'b'"),
        ([{"a": 1}], ["a", "a"], "columns", "twice"),
        ("a,b", None, "rows", "must be a list of dicts"),
        (None, None, "rows", "must be a list of dicts"),
        ([], None, "rows", "no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, "columns", "twice"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_by_its_field(rows: Any, columns: Any, field: str, why: str):
    with pytest.raises(Invalid, match=why) as caught:
        encoded("table", rows, columns=columns)
    assert caught.value.problems[0].loc == (field,)


def histogram(values: Any = None, **options: Any) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    return json.loads(encoded("histogram", values, tell=told.append, **options).data), told


@settings(max_examples=tries(300), deadline=None)
@given(st.lists(st.floats()), st.integers(1, 100))
@example([5e-324, 5e-324], 1)
def test_every_value_is_counted_once(values: list[float], bins: int):
    found, _ = histogram(values, bins=bins)
    finite = [value for value in values if math.isfinite(value)]
    assert sum(found["counts"]) == len(finite)
    assert found["nan"] + found["infinity"] + found["negativeInfinity"] == len(values) - len(finite)
    edges = found["edges"]
    assert len(edges) == len(found["counts"]) + 1 <= bins + 1
    assert all(low < high for low, high in pairwise(edges))
    if finite:
        assert edges[0] <= min(finite) and max(finite) <= edges[-1]
        assert (found["min"], found["max"]) == (min(finite), max(finite))
        assert min(finite) <= found["mean"] <= max(finite)
    for index, count in enumerate(found["counts"]):
        is_last = index == len(found["counts"]) - 1
        inside = [v for v in finite if edges[index] <= v < edges[index + 1] or (is_last and v == edges[-1])]
        assert count == len(inside)


def test_edges_may_be_given_and_what_lies_outside_is_counted_apart():
    found, told = histogram(np.array([[-1.0, 0.0], [1.0, 9.0], [math.nan, 2.0]]), bins=[0, 1, 2])
    assert (found["counts"], found["below"], found["above"], found["nan"]) == ([1, 2], 1, 1, 1)
    assert len(told) == 1 and "1 of 6 are NaN or infinite" in told[0]


def test_a_histogram_that_is_made_already_is_kept():
    counts, edges = np.histogram([1, 2, 2, 3], 3)
    assert histogram(counts=counts, edges=edges)[0] == {"counts": counts.tolist(), "edges": edges.tolist()}
    assert histogram(counts=[0.5], edges=[0, 1])[0]["counts"] == [0.5]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"values": ["a"]}, "values"),
        ({"values": None}, "values"),
        ({"values": [1], "bins": 0}, "bins"),
        ({"values": [1], "bins": 10**6}, "bins"),
        ({"values": [1], "bins": "auto"}, "bins"),
        ({"values": [1], "bins": [1, 1]}, "bins"),
        ({"values": [1], "bins": [1, math.nan]}, "bins"),
        ({"values": [1], "bins": [1]}, "bins"),
        ({"values": [1], "counts": [1], "edges": [0, 1]}, "values"),
        ({"counts": [1]}, "counts"),
        ({"counts": [1, 2], "edges": [0, 1]}, "counts"),
        ({"counts": [-1], "edges": [0, 1]}, "counts"),
        ({"counts": [1], "edges": [1, 0]}, "edges"),
    ],
)
def test_what_is_no_histogram_is_refused_by_its_field(options: dict[str, Any], field: str):
    with pytest.raises(Invalid) as caught:
        encoded("histogram", options.pop("values", None), **options)
    assert caught.value.problems[0].loc == (field,)
