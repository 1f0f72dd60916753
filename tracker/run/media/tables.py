"""Tables as JSON lines: the typed columns in the first line, then a line a row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracker.domain.errors import Invalid
from tracker.run.known_types import scalar_of, text_of
from tracker.run.media.encoding import Encoded, Tell
from tracker.run.plain import PlainTree
from tracker.wire import number_text

__all__ = ["encoded_table"]

MOST_CELLS = 10_000_000
_FORMS = "a list of dicts, a list of lists with columns=, a dict of columns, or a frame of pandas or polars"
_MISSING = frozenset({"NAType", "NaTType"})

Columns = dict[str, Sequence[Any]]


def encoded_table(rows: Any, *, columns: Sequence[str] | None = None, tell: Tell) -> Encoded:
    """A table whose columns have types.

    The first line is ``{"columns": [{"name": ..., "type": ...}]}``, every further one the array of a row's
    cells. A type is ``bool``, ``int``, ``float``, ``text``, ``json`` (lists and objects) or ``mixed``; what
    is missing is ``null``. In a ``float`` column the texts ``NaN``, ``Infinity`` and ``-Infinity`` are these
    numbers, as everywhere on the wire.

    Args:
        rows: a list of dicts, a list of lists, a dict of columns, or a frame of pandas, polars or pyarrow.
        columns: names of the cells of lists; of anything else which columns to keep, in which order.
        tell: takes what was odd.

    Raises:
        Invalid: it is none of these; columns differ in length, or there are none; too many cells.
    """
    found = _chosen(_columns(rows, columns), columns, of_rows=_is_rows(rows))
    height = len(next(iter(found.values()), ()))
    for name, cells in found.items():
        if len(cells) != height:
            raise Invalid.field("rows", f"column {name!r} has {len(cells)} cells, others have {height}")
    if height * len(found) > MOST_CELLS:
        raise Invalid.field("rows", f"more than {MOST_CELLS} cells; write a file and keep it with run.file()")
    walk = PlainTree("rows", mask=False, most_nodes=2 * MOST_CELLS)
    typed = {name: _typed(cells, name, walk) for name, cells in found.items()}
    walk.tell(tell)
    head = [{"name": name, "type": kind} for name, (kind, _) in typed.items()]
    lines = [json.dumps({"columns": head}, ensure_ascii=False)]
    lines += [_line(row) for row in zip(*(cells for _, cells in typed.values()), strict=True)]
    data = "\n".join(lines) + "\n"
    return Encoded(
        data.encode("utf-8", "replace"), "application/jsonl", ".jsonl", {"columns": head, "rows": height}
    )


def _line(row: Iterable[Any]) -> str:
    return json.dumps(list(row), ensure_ascii=False, separators=(",", ":"))


def _is_rows(rows: Any) -> bool:
    return isinstance(rows, Sequence) and not isinstance(rows, str | bytes)


def _columns(rows: Any, names: Sequence[str] | None) -> Columns:
    if hasattr(rows, "to_pydict") and hasattr(rows, "column_names"):  # pyarrow
        rows = rows.to_pydict()
    elif hasattr(rows, "columns") and hasattr(rows, "iloc"):
        return _of_pandas(rows)
    elif hasattr(rows, "columns") and hasattr(rows, "get_column"):
        return {str(name): rows.get_column(name).to_list() for name in rows.columns}
    elif hasattr(rows, "ndim") and hasattr(rows, "tolist") and rows.ndim == 2:
        rows = rows.tolist()
    if isinstance(rows, Mapping):
        return {str(name): _cells(cells, str(name)) for name, cells in rows.items()}
    if not _is_rows(rows):
        raise Invalid.field("rows", f"must be {_FORMS}, not {type(rows).__qualname__}")
    if all(isinstance(row, Mapping) for row in rows):
        found = list(dict.fromkeys(name for row in rows for name in row))
        return {str(name): [row.get(name) for row in rows] for name in found}
    return _of_lists(rows, names)


def _of_lists(rows: Sequence[Any], names: Sequence[str] | None) -> Columns:
    if names is None:
        raise Invalid.field("columns", "lists need the names of their cells")
    for index, row in enumerate(rows):
        if not isinstance(row, Sequence) or isinstance(row, str | bytes):
            raise Invalid.field("rows", f"row {index} is a {type(row).__qualname__}; give {_FORMS}")
        if len(row) != len(names):
            raise Invalid.field("rows", f"row {index} has {len(row)} cells for {len(names)} columns")
    return {str(name): [row[index] for row in rows] for index, name in enumerate(names)}


def _of_pandas(frame: Any) -> Columns:
    """By position, since names may stand twice; an index that has a name is a column, too."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    found: Columns = {}
    for index, name in enumerate(frame.columns):
        if str(name) in found:
            raise Invalid.field("columns", f"{str(name)!r} stands twice")
        found[str(name)] = frame.iloc[:, index].tolist()
    return found


def _cells(cells: Any, name: str) -> Sequence[Any]:
    if hasattr(cells, "tolist"):
        cells = cells.tolist()
    if isinstance(cells, str | bytes | Mapping) or not isinstance(cells, Iterable):
        raise Invalid.field("rows", f"column {name!r} must be a list of cells")
    return list(cells)


def _chosen(found: Columns, names: Sequence[str] | None, *, of_rows: bool) -> Columns:
    if names is not None:
        chosen = [str(name) for name in names]
        if len(set(chosen)) != len(chosen):
            raise Invalid.field("columns", "a name stands twice")
        missing = [name for name in chosen if name not in found]
        if missing and not (of_rows and not found):
            raise Invalid.field("columns", f"there is no column {missing[0]!r}")
        return {name: found.get(name, ()) for name in chosen}
    if not found:
        raise Invalid.field("rows", "has no columns; name them with columns=")
    return found


def _typed(cells: Sequence[Any], name: str, walk: PlainTree) -> tuple[str, list[Any]]:
    """The type of a column, and its cells as JSON."""
    plain = [_plain(cell, name, walk) for cell in cells]
    kinds = {_kind(cell) for cell in plain if cell is not None}
    if kinds == {"int", "float"}:
        kinds = {"float"}
    kind = kinds.pop() if len(kinds) == 1 else "mixed" if kinds else "text"
    return kind, [number_text(cell) if isinstance(cell, float) else cell for cell in plain]


def _plain(cell: Any, name: str, walk: PlainTree) -> Any:
    if type(cell).__name__ in _MISSING:  # pandas says so
        return None
    if cell is None or type(cell) in (bool, float, str):
        return cell
    try:
        is_scalar, scalar = scalar_of(cell)
    except Exception:  # theirs
        is_scalar, scalar = False, None
    if is_scalar and isinstance(scalar, float):
        return scalar
    if not is_scalar and (known := text_of(cell)) is not None:
        return known
    kept = walk.of({name: cell})
    return None if kept is None else kept.get(name)


def _kind(cell: Any) -> str:
    match cell:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "text"
    return "json"
