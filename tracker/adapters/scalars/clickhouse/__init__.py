"""Time series in ClickHouse, for what outgrows one machine."""

from tracker.adapters.scalars.clickhouse.store import ClickHouseScalarStore

__all__ = ["ClickHouseScalarStore"]
