"""Numbers that every database can keep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["FiniteNumber", "Step"]

FiniteNumber = Annotated[float, Field(allow_inf_nan=False, strict=False)]
"""No NaN and no infinity; integers are taken as well."""

Step = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""A place on the x-axis: 64 bits, negative allowed."""
