"""Time series as msgpack with typed columns, for clients, the server and the scalars service.

A column is ``[type, bytes]``: numbers of one type, little-endian, one behind the other. The types are
``i1 i2 i4 i8 u1 u2 u4`` for whole numbers and ``f4 f8`` for real ones; floats keep every bit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgpack  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from tracker.domain.ids import ExperimentId
from tracker.domain.scalars.batch import Float64s, Int64s, ScalarBatch, StepTags
from tracker.domain.scalars.series import Fault, SampledSeries, Series, SeriesSummary

__all__ = [
    "MSGPACK", "batch_body", "column", "faults_body", "faults_from", "float_column", "ids_from",
    "int_column", "pack", "packed_ids", "sampled_body", "sampled_from", "series_body", "series_from",
    "summaries_body", "summaries_from", "tags_body", "tags_from", "unpack",
]  # fmt: skip

MSGPACK = "application/msgpack"

_WHOLE = frozenset(("i1", "i2", "i4", "i8", "u1", "u2", "u4"))
_REAL = frozenset(("f4", "f8"))
_ID_BYTES = 16
_SUMMARY_INTS = (
    "count", "non_finite", "first_step", "last_step", "last_time", "modified",
)  # fmt: skip
_SUMMARY_FLOATS = ("last_value", "min_value", "max_value")


def pack(value: object) -> bytes:
    """msgpack; ids become text, times ISO 8601, numpy columns ``[type, bytes]``."""
    packed: bytes = msgpack.packb(value, default=_plain)
    return packed


def unpack(data: bytes) -> Any:
    """What was packed.

    Raises:
        ValueError: the bytes are not msgpack.
    """
    try:
        return msgpack.unpackb(data)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError(str(error) or "truncated or nested too deeply") from error


def column(values: NDArray[Any]) -> list[object]:
    """A numpy column as the wire has it."""
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return [little.dtype.str[1:], np.ascontiguousarray(little).data.cast("B") if len(little) else b""]


def int_column(content: object) -> Int64s:
    """int64 (n,) from a column of whole numbers.

    Raises:
        ValueError: it is none; says what is wrong.
    """
    return _numbers(content, _WHOLE).astype(np.int64, copy=False)


def float_column(content: object) -> Float64s:
    """float64 (n,) from a column of real numbers.

    Raises:
        ValueError: it is none; says what is wrong.
    """
    return _numbers(content, _REAL).astype(np.float64, copy=False)


def packed_ids(ids: Iterable[UUID]) -> bytes:
    """Ids of 16 bytes each, one behind the other."""
    return b"".join(each.bytes for each in ids)


def ids_from(content: object) -> list[UUID]:
    """The ids of :func:`packed_ids`.

    Raises:
        ValueError: the bytes are no row of ids.
    """
    if not isinstance(content, bytes) or len(content) % _ID_BYTES:
        raise ValueError("must be bytes, 16 for each id")
    return [UUID(bytes=content[at : at + _ID_BYTES]) for at in range(0, len(content), _ID_BYTES)]


def batch_body(batch: ScalarBatch) -> dict[str, object]:
    """The body of the columnar bulk route; `experiment_id` stands in its path."""
    body: dict[str, object] = {
        "batch_id": batch.id,
        "names": batch.names,
        # The index of a name rarely needs more than two bytes; a bulk of points has millions of them.
        "series": column(batch.series.astype("<u2") if len(batch.names) <= 2**16 else batch.series),
        "step": column(batch.step),
        "time": column(batch.time),
        "value": column(batch.value),
    }
    if batch.tags:
        body["tags"] = tags_body(batch.tags)
    return body


def series_body(series: Series) -> dict[str, object]:
    """A series; :func:`series_from` reads it."""
    return {
        "experiment_id": series.experiment_id.bytes,
        "name": series.name,
        "step": column(series.step),
        "time": column(series.time),
        "value": column(series.value),
    }


def series_from(body: Mapping[str, Any]) -> Series:
    """The series of :func:`series_body`."""
    return Series(**_points(body))


def sampled_body(series: SampledSeries) -> dict[str, object]:
    """A thinned series; :func:`sampled_from` reads it."""
    rest = {"total": series.total, "edges": column(series.edges), "gaps": column(series.gaps)}
    return {**series_body(series), **rest}


def sampled_from(body: Mapping[str, Any]) -> SampledSeries:
    """The series of :func:`sampled_body`."""
    return SampledSeries(
        **_points(body),
        total=body["total"],
        edges=int_column(body["edges"]),
        gaps=float_column(body["gaps"]),
    )


def faults_body(faults: Iterable[Fault]) -> list[tuple[bytes | None, str | None, str]]:
    """What is wrong, as (experiment, name, problem)."""
    return [
        (None if each.experiment_id is None else each.experiment_id.bytes, each.name, each.problem)
        for each in faults
    ]


def faults_from(body: Iterable[Sequence[Any]]) -> tuple[Fault, ...]:
    """The faults of :func:`faults_body`."""
    return tuple(
        Fault(None if key is None else ExperimentId(UUID(bytes=key)), name, problem)
        for key, name, problem in body
    )


def tags_body(tags: Iterable[StepTags]) -> list[dict[str, object]]:
    """Tags, as in the JSON of the API."""
    return [{"step": each.step, "scalar_names": each.names, "tags": each.tags} for each in tags]


def tags_from(body: Iterable[Mapping[str, Any]]) -> tuple[StepTags, ...]:
    """The tags of :func:`tags_body`."""
    return tuple(
        StepTags(step=each["step"], names=tuple(each["scalar_names"]), tags=tuple(each["tags"]))
        for each in body
    )


def summaries_body(rows: Sequence[SeriesSummary]) -> dict[str, object]:
    """Summary rows as columns; a NaN minimum or maximum says that there is none."""
    return {
        "experiment_id": packed_ids(row.experiment_id for row in rows),
        "name": [row.name for row in rows],
        **{name: column(np.array([getattr(row, name) for row in rows], np.int64)) for name in _SUMMARY_INTS},
        **{
            name: column(np.array([getattr(row, name) for row in rows], np.float64))
            for name in _SUMMARY_FLOATS
        },
    }


def summaries_from(body: Mapping[str, Any]) -> tuple[SeriesSummary, ...]:
    """The rows of :func:`summaries_body`."""
    ids: Collection[UUID] = ids_from(body["experiment_id"])
    columns = {name: int_column(body[name]).tolist() for name in _SUMMARY_INTS}
    columns |= {name: float_column(body[name]).tolist() for name in _SUMMARY_FLOATS}
    rows = zip(*columns.values(), strict=True)
    return tuple(
        SeriesSummary(
            experiment_id=ExperimentId(experiment_id),
            name=name,
            **_with_none(dict(zip(columns, row, strict=True))),
        )
        for experiment_id, name, row in zip(ids, body["name"], rows, strict=True)
    )


def _with_none(row: dict[str, Any]) -> dict[str, Any]:
    for name in ("min_value", "max_value"):
        if row[name] != row[name]:  # NaN alone differs from itself
            row[name] = None
    return row


def _points(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "experiment_id": ExperimentId(UUID(bytes=body["experiment_id"])),
        "name": body["name"],
        "step": int_column(body["step"]),
        "time": int_column(body["time"]),
        "value": float_column(body["value"]),
    }


def _numbers(content: object, kinds: Collection[str]) -> NDArray[Any]:
    match content:
        case [str() as kind, bytes() as data] if kind in kinds:
            dtype = np.dtype(f"<{kind}")
            if len(data) % dtype.itemsize:
                raise ValueError(f"has {len(data)} bytes, which is no whole number of {kind}")
            return np.frombuffer(data, dtype)
    raise ValueError(f"must be [type, bytes] with one of the types {' '.join(sorted(kinds))}")


def _plain(value: object) -> object:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case np.ndarray():
            return column(value)
    raise TypeError(f"cannot be packed: {type(value).__name__}")
