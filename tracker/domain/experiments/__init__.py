"""Experiments: their life cycle, lineage, features and order."""
