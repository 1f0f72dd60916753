"""What is logged over HTTP becomes a batch without the record that a script makes, and as strictly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from entrypoints.http.schemas.scalars import ScalarsIn
from tracker.domain.errors import Invalid
from tracker.domain.ids import BatchId, ExperimentId
from tracker.domain.scalars.record import LoggedRow, ScalarRecord, batch_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = {"a": 1, "b": -0.0, "c": "Infinity", "d": "-Infinity", "e": 2**53 + 1, "f": 10.0**300}
MOMENT = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("sent", "time"),
    [(None, None), (MOMENT.isoformat(), MOMENT), ("2026-01-01T00:00:00.000007", NOW.replace(microsecond=7)),
     (1, datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)), (2.0, datetime(1970, 1, 1, 0, 0, 0, 2, tzinfo=UTC))],
)  # fmt: skip
def test_row_of_a_body_is_the_row_of_the_same_record(sent: object, time: datetime | None) -> None:
    body = ScalarsIn.model_validate({"scalars": VALUES, "step": -(2**63), "tags": ["x"], "time": sent})
    values = {name: float(value) for name, value in VALUES.items()}
    record = ScalarRecord(step=-(2**63), values=values, tags=("x",), time=time)
    assert repr(body.row()) == repr(record.row())


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "x" * 256])
@pytest.mark.parametrize("place", ["name", "tag"])
def test_batch_refuses_text_that_cannot_be_kept_whoever_made_the_row(text: str, place: str) -> None:
    row = LoggedRow(1, {text: 1.0}, (), None) if place == "name" else LoggedRow(1, {"a": 1.0}, (text,), None)
    with pytest.raises(Invalid):
        batch_of([row], batch_id=BatchId(UUID(int=1)), experiment_id=ExperimentId(UUID(int=2)), now=NOW)
