"""Questions to ClickHouse whose answers are columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from clickhouse_connect.driver.client import Client
from numpy.typing import NDArray

__all__ = ["ALIVE", "POINTS", "columns"]

ALIVE = """
  AND project NOT IN (SELECT project FROM scalars_deleted WHERE project = {project:UUID} AND whole)
  AND experiment NOT IN (SELECT experiment FROM scalars_deleted WHERE project = {project:UUID} AND NOT whole)
"""
"""Leaves out what was deleted, rows that are yet to be removed too."""

POINTS = f"FROM scalars WHERE project = {{project:UUID}} AND kind = 'point' {ALIVE}"


def columns(
    client: Client, query: str, parameters: Mapping[str, Any], dtypes: Mapping[str, Any]
) -> tuple[NDArray[Any], ...]:
    """The columns of an answer, each in one piece of memory.

    Args:
        client: whom to ask.
        query: gives columns called as in `dtypes`, which are not all of one type.
        parameters: of the query.
        dtypes: what each column is. Text comes as objects.
    """
    found = client.query_np(query, parameters=dict(parameters))
    if not found.size:  # an answer without rows does not tell its types
        return tuple(np.empty(0, dtype) for dtype in dtypes.values())
    return tuple(np.ascontiguousarray(found[name], dtype) for name, dtype in dtypes.items())
