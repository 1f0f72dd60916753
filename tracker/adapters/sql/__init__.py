"""Adapters over SQLAlchemy Core: SQLite for one machine, PostgreSQL for a team."""
