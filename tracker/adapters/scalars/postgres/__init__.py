"""Time series in PostgreSQL, in the chunks of the embedded store, for many server processes at once."""

from tracker.adapters.scalars.postgres.store import PostgresScalarStore

__all__ = ["PostgresScalarStore"]
